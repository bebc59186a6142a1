import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { signIn } from '../api/auth.ts';
import { why } from '../api/problem.ts';
import { t } from '../i18n/index.ts';
import { BrandLinks, BrandRow } from './brand.tsx';

/** The form itself; with `fixed`, only that address may sign in (a session that ended). */
export function SignInForm({ fixed = '', onDone }: { fixed?: string; onDone?: () => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const form = useRef<HTMLFormElement>(null);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const { address, password } = read(form.current as HTMLFormElement);
    const missing = check(address, password);
    setError(missing?.text ?? '');
    if (missing) return (form.current?.elements.namedItem(missing.field) as HTMLElement).focus();
    setBusy(true);
    try {
      await signIn(address, password);
      onDone?.();
    } catch (problem) {
      setError(why(problem));
      setBusy(false);
      (form.current?.elements.namedItem('password') as HTMLInputElement | null)?.select();
    }
  }

  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
      {error && <div key="error" class="notice is-error" role="alert" id="signin-error">{error}</div>}
      <div key="address" class="field">
        <label for="address">{t('signin.address')}</label>
        <input
          class="input" id="address" name="address" type="email" autocomplete="username" autocapitalize="none" spellcheck={false}
          autofocus={!fixed} {...(fixed ? { value: fixed, readOnly: true } : {})} required aria-describedby={error ? 'signin-error' : undefined}
        />
      </div>
      <Password key="password" error={error} autofocus={Boolean(fixed)} />
      <button class="button is-primary" type="submit" disabled={busy}>
        {busy && <span class="spinner" aria-hidden="true" />}
        {busy ? t('signin.busy') : t('signin.submit')}
      </button>
    </form>
  );
}

/** A password field may be shown as text; the types of JSX know each input by one type alone. */
const Secret = 'input' as unknown as (props: Record<string, unknown>) => VNode;

function Password({ error, autofocus }: { error: string; autofocus: boolean }) {
  const [shown, setShown] = useState(false);
  return (
    <div class="field">
      <label for="password">{t('signin.password')}</label>
      <div class="password">
        <Secret
          class="input" id="password" name="password" type={shown ? 'text' : 'password'} autocomplete="current-password" required
          autofocus={autofocus} aria-describedby={error ? 'signin-error' : undefined}
        />
        <button type="button" aria-controls="password" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? t('signin.hide') : t('signin.show')}
        </button>
      </div>
    </div>
  );
}

function read(form: HTMLFormElement): { address: string; password: string } {
  const data = new FormData(form);
  return { address: String(data.get('address')).trim().toLowerCase(), password: String(data.get('password')) };
}

function check(address: string, password: string): { field: string; text: string } | null {
  if (!/^[^\s@]+@[^\s@]+$/.test(address)) return { field: 'address', text: t('signin.address.missing') };
  return password ? null : { field: 'password', text: t('signin.password.missing') };
}

/** The whole sign-in page. */
export function SignInPage() {
  return (
    <div class="gate">
      <main class="gate-card">
        <BrandRow />
        <h1>{t('signin.title')}</h1>
        <p class="lead">{t('signin.lead')}</p>
        <SignInForm />
      </main>
      <footer class="gate-foot"><BrandLinks /></footer>
    </div>
  );
}
