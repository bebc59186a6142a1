import { useRef, useState } from 'preact/hooks';
import { why } from '../api/problem.ts';
import { t } from '../i18n/index.ts';
import { say } from '../ui/toast.tsx';
import { call } from './api.ts';

/** An order for one mailbox on a domain (S3): the first of a domain, or one more. */
export function OrderForm({ onOrdered }: { onOrdered: (domain: string) => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(form.current as HTMLFormElement);
    const [domain, local, password] = ['domain', 'local', 'password'].map((name) => String(data.get(name)).trim()) as [string, string, string];
    if (!domain || !local) return setError(t('console.order.missing'));
    const flags = { imap: data.has('imap'), admin: data.has('admin') };
    const mailbox = { local, storage_mb: Number(data.get('storage')), ...flags, ...(password ? { password } : {}) };
    setBusy(true);
    const body = { domain, mailboxes: [mailbox] };
    try {
      const placed = await call<{ domain: string }>('POST', '/orders', body, undefined, await keyFor(body));
      form.current?.reset();
      setError('');
      say(t('console.order.done'));
      onOrdered(placed.domain);
    } catch (problem) {
      setError(why(problem));
    }
    setBusy(false);
  };
  return (
    <details class="order">
      <summary class="button">{t('console.order')}</summary>
      <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <p class="quiet">{t('console.order.lead')}</p>
        {error && <div key="error" class="notice is-error" role="alert">{error}</div>}
        <Text key="domain" name="domain" label={t('console.domain')} />
        <Text key="local" name="local" label={t('console.order.local')} />
        <Text key="password" name="password" label={t('console.order.password')} type="password" />
        <div key="storage" class="field">
          <label for="order-storage">{t('console.order.storage')}</label>
          <select id="order-storage" name="storage" class="input">{STEPS.map((mb) => <option key={mb} value={mb}>{mb}</option>)}</select>
        </div>
        <label key="imap" class="tick"><input type="checkbox" name="imap" />{t('console.order.imap')}</label>
        <label key="admin" class="tick"><input type="checkbox" name="admin" />{t('console.order.admin')}</label>
        <button key="go" type="submit" class="button is-primary" disabled={busy}>{t('console.order.submit')}</button>
      </form>
    </details>
  );
}

/** The same order sent again, after an answer that never came, is the same order. */
async function keyFor(body: unknown): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(body)));
  return [...new Uint8Array(digest).slice(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** S11: steps of 250 MB up to 5,000 MB. */
const STEPS = Array.from({ length: 20 }, (_, i) => (i + 1) * 250);

function Text({ name, label, type = 'text' }: { name: string; label: string; type?: 'text' | 'password' }) {
  const common = { id: `order-${name}`, name, class: 'input' };
  return (
    <div class="field">
      <label for={`order-${name}`}>{label}</label>
      {type === 'password' ? <input type="password" autocomplete="new-password" {...common} /> : <input type="text" autocomplete="off" autocapitalize="none" spellcheck={false} {...common} />}
    </div>
  );
}
