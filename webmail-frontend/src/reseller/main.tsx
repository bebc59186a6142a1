import { render } from 'preact';
import { useState } from 'preact/hooks';
import '../styles/base.css';
import '../styles/console.css';
import { why } from '../api/problem.ts';
import { loadBrand } from '../brand/brand.ts';
import { t } from '../i18n/index.ts';
import { BrandLinks, BrandRow } from '../ui/brand.tsx';
import { IconButton } from '../ui/icons.tsx';
import { applyTheme } from '../ui/theme.ts';
import { Toasts } from '../ui/toast.tsx';
import { all, keepKey, key, type DomainRow } from './api.ts';
import { Domains } from './domains.tsx';

function Page() {
  if (!key.value) return <Gate />;
  return (
    <div class="console">
      <header class="console-head">
        <BrandRow />
        <IconButton icon="signout" label={t('signout')} onClick={() => keepKey('')} />
      </header>
      <Domains />
      <Toasts />
    </div>
  );
}

/** A key is tried before it is kept. */
function Gate() {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [typed, setTyped] = useState('');
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!typed.trim()) return setError(t('console.key.missing'));
    setBusy(true);
    try {
      await all<DomainRow>('/domains', 'domains', typed.trim());
      keepKey(typed.trim());
    } catch (problem) {
      setError(why(problem));
      setBusy(false);
    }
  };
  return (
    <div class="gate">
      <main class="gate-card">
        <BrandRow />
        <h1>{t('signin.title')}</h1>
        <p class="lead">{t('console.key.lead')}</p>
        <form noValidate onSubmit={(event) => void submit(event)}>
          {error && <div key="error" class="notice is-error" role="alert">{error}</div>}
          <div key="key" class="field">
            <label for="key">{t('console.key')}</label>
            <input id="key" class="input" type="password" autocomplete="current-password" autofocus value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
          </div>
          <button key="go" class="button is-primary" type="submit" disabled={busy}>{busy ? t('signin.busy') : t('signin.submit')}</button>
        </form>
      </main>
      <footer class="gate-foot"><BrandLinks /></footer>
    </div>
  );
}

async function main(): Promise<void> {
  if ((window as { tooOld?: boolean }).tooOld) return;
  applyTheme();
  await loadBrand();
  render(<Page />, document.getElementById('root') as HTMLElement);
}

void main();
