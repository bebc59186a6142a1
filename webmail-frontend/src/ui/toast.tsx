import { signal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { Icon } from './icons.tsx';

interface Toast {
  id: number;
  text: string;
  error: boolean;
  undo?: () => void;
}

const toast = signal<Toast | null>(null);
let last = 0;
let timer = 0;

/** Says something at the foot of the page for some seconds; with `undo`, offers to take it back. */
export function say(text: string, undo?: () => void, error = false): void {
  last += 1;
  toast.value = { id: last, text, error, ...(undo ? { undo } : {}) };
  clearTimeout(timer);
  timer = window.setTimeout(hush, undo || error ? 10_000 : 4_000);
}

export const complain = (text: string): void => say(text, undefined, true);
const hush = (): void => void (toast.value = null);

/** Takes back the last thing, if it still offers that (key z). */
export function undoLast(): void {
  const undo = toast.value?.undo;
  hush();
  undo?.();
}

export function Toasts() {
  const shown = toast.value;
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown && (
        <div class={`toast ${shown.error ? 'is-error' : ''}`} key={shown.id}>
          <span>{shown.text}</span>
          {shown.undo && (
            <button type="button" class="toast-undo" onClick={undoLast}>
              {t('undo')}
            </button>
          )}
          <button type="button" class="toast-close" aria-label={t('close')} onClick={hush}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
