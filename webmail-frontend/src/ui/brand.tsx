import { brand } from '../brand/brand.ts';
import { t } from '../i18n/index.ts';

/** Logo, or the product's first letter on its colour, with the name beside it. */
export function BrandRow() {
  const { product, logo } = brand.value;
  return (
    <div class="brand-row">
      {logo ? <img class="logo" src={logo} alt="" /> : <span class="mark" aria-hidden="true">{[...product][0]?.toUpperCase()}</span>}
      <span>{product}</span>
    </div>
  );
}

/** Help and support links of the brand. */
export function BrandLinks() {
  const { support, help_url } = brand.value;
  const contact = support.url || (support.email && `mailto:${support.email}`);
  return (
    <>
      {help_url && <a href={help_url} target="_blank" rel="noopener noreferrer">{t('signin.help')}</a>}
      {contact && <a href={contact} target="_blank" rel="noopener noreferrer">{t('signin.support')}</a>}
    </>
  );
}
