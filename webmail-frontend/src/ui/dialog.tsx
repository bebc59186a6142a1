import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { IconButton } from './icons.tsx';

/** A native modal dialog with a heading. `modal` without a way out: it stays until its cause is gone. */
export function Dialog(props: { label: string; onClose: () => void; children: ComponentChildren; modal?: boolean }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = element.current as HTMLDialogElement;
    shown.showModal();
    return () => shown.close();
  }, []);
  const cancel = (event: Event): void => {
    event.preventDefault();
    props.onClose();
  };
  const away = (event: MouseEvent): void => {
    if (event.target === element.current) props.onClose();
  };
  return (
    <dialog ref={element} aria-label={props.label} onCancel={cancel} onClick={away}>
      <div class="dialog-body">
        <div class="dialog-head">
          <h2>{props.label}</h2>
          {!props.modal && <IconButton icon="close" label={t('close')} onClick={props.onClose} />}
        </div>
        {props.children}
      </div>
    </dialog>
  );
}
