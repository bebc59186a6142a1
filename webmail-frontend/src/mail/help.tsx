import { signal } from '@preact/signals';
import { t, type Key } from '../i18n/index.ts';
import { BrandLinks } from '../ui/brand.tsx';
import { Dialog } from '../ui/dialog.tsx';

export const helpOpen = signal(false);

const KEYS: Array<[keys: string, what: Key]> = [
  ['j', 'help.next'],
  ['k', 'help.previous'],
  ['o', 'help.open'],
  ['u', 'help.list'],
  ['c', 'help.compose'],
  ['r', 'help.reply'],
  ['a', 'help.replyall'],
  ['f', 'help.forward'],
  ['e', 'help.archive'],
  ['#', 'help.delete'],
  ['!', 'help.junk'],
  ['s', 'help.star'],
  ['Shift+U', 'help.unread'],
  ['z', 'undo'],
  ['Ctrl+Enter', 'help.send'],
  ['?', 'help.help'],
];

/** Keys, limits, and the brand's own help (S39). */
export function Help() {
  return (
    <Dialog label={t('help.title')} onClose={() => (helpOpen.value = false)}>
      <p class="quiet">{t('help.lead')}</p>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}><dt><kbd>{keys}</kbd></dt><dd>{t(what)}</dd></div>
        ))}
      </dl>
      <p class="quiet">{t('help.limits')}</p>
      <div class="dialog-links"><BrandLinks /></div>
    </Dialog>
  );
}
