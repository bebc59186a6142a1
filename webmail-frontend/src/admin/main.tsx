import { render } from 'preact';
import '../styles/base.css';
import { loadBrand } from '../brand/brand.ts';
import { t } from '../i18n/index.ts';
import { BrandLinks, BrandRow } from '../ui/brand.tsx';
import { applyTheme } from '../ui/theme.ts';

/** Says honestly that this console is not there yet, and where mail is. */
function Page() {
  const webmail = `${location.protocol}//${location.host.replace(/^(emailadmin|admin)\./, 'mail.')}/`;
  return (
    <div class="gate">
      <main class="gate-card">
        <BrandRow />
        <h1>{t('admin.title')}</h1>
        <p class="lead">{t('admin.soon')} {t('admin.lead')}</p>
        <form><a class="button is-primary" href={webmail}>{t('admin.mail')}</a></form>
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
