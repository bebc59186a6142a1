import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import type { Address } from '../jmap/types.ts';
import { personName } from '../mail/names.ts';
import { Icon } from '../ui/icons.tsx';
import { isValid, parseAddresses, without } from './addresses.ts';

interface Props {
  name: string;
  label: string;
  all: Address[];
  onChange: (all: Address[]) => void;
  children?: ComponentChildren;
}

/** Recipients as chips, and a field for the next one. Comma, semicolon, Enter, Tab or leaving the field takes it in. */
export function Recipients({ name, label, all, onChange, children }: Props) {
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const wrong = all.filter((one) => !isValid(one.email));
  const take = (typed: string): void => {
    const added = without(parseAddresses(typed), all);
    setText('');
    if (added.length) onChange([...all, ...added]);
  };
  const onInput = (typed: string): void => (/[,;\n]\s*$/.test(typed) && !/"[^"]*$/.test(typed) ? take(typed) : setText(typed));
  const onPaste = (event: ClipboardEvent): void => {
    const pasted = event.clipboardData?.getData('text') ?? '';
    if (!/[,;\n@]/.test(pasted)) return;
    event.preventDefault();
    take(text + pasted);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      take(text);
    } else if (event.key === 'Backspace' && text === '' && all.length) onChange(all.slice(0, -1));
  };
  const remove = (one: Address): void => {
    onChange(all.filter((other) => other !== one));
    input.current?.focus();
  };
  return (
    <div class="line recipients" onClick={(event) => event.target === event.currentTarget && input.current?.focus()}>
      <label class="line-name" for={`compose-${name}`}>{label}</label>
      <div class="chips">
        {all.map((one) => <Chip key={one.email} one={one} remove={() => remove(one)} />)}
        <input
          ref={input} id={`compose-${name}`} class="line-input" value={text} type="text" inputMode="email" autocomplete="off" autocapitalize="none" spellcheck={false}
          aria-invalid={wrong.length > 0} aria-describedby={wrong.length ? `compose-${name}-wrong` : undefined}
          onInput={(event) => onInput(event.currentTarget.value)} onPaste={onPaste} onKeyDown={onKey} onBlur={() => take(text)}
        />
        {wrong.length > 0 && <span class="error-text chips-wrong" id={`compose-${name}-wrong`}>{t('compose.invalid', { names: wrong.map(personName).join(', ') })}</span>}
      </div>
      {children}
    </div>
  );
}

function Chip({ one, remove }: { one: Address; remove: () => void }) {
  const name = personName(one);
  return (
    <span class={`chip ${isValid(one.email) ? '' : 'is-wrong'}`} title={one.email}>
      <span class="chip-name">{name}</span>
      <button type="button" aria-label={t('compose.remove', { name })} onClick={remove}><Icon name="close" /></button>
    </span>
  );
}
