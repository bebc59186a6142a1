import { render, type ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import '../styles/base.css';
import { session } from '../api/auth.ts';
import { loadBrand } from '../brand/brand.ts';
import { t } from '../i18n/index.ts';
import { applyTheme } from '../ui/theme.ts';
import { SignInPage } from '../ui/signin.tsx';

/** The mailbox is a file of its own: the sign-in page stays small, and the file is under way while a password is typed. */
type Mailbox = Promise<{ App: ComponentType }>;

function Page({ mailbox }: { mailbox: Mailbox }) {
  const signedIn = session.value !== null;
  const [App, setApp] = useState<ComponentType | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    mailbox.then(({ App: loaded }) => setApp(() => loaded), () => setFailed(true));
  }, []);
  if (!signedIn) return <SignInPage />;
  if (failed) return <Broken />;
  return App ? <App /> : <div class="gate" aria-busy="true" />;
}

function Broken() {
  return (
    <div class="gate">
      <main class="gate-card">
        <p role="alert">{t('error.network')}</p>
        <form><button class="button is-primary" type="button" onClick={() => location.reload()}>{t('retry')}</button></form>
      </main>
    </div>
  );
}

/** Waits a moment for the brand, so that the page does not change its colours under the reader's eyes. */
async function main(): Promise<void> {
  if ((window as { tooOld?: boolean }).tooOld) return;
  applyTheme();
  const mailbox: Mailbox = import('./app.tsx');
  await Promise.race([loadBrand(), new Promise((go) => setTimeout(go, 1_500))]);
  render(<Page mailbox={mailbox} />, document.getElementById('root') as HTMLElement);
}

void main();
