import { useEffect, useState } from 'preact/hooks';
import { why } from '../api/problem.ts';
import { size, t } from '../i18n/index.ts';
import { Icon, IconButton } from '../ui/icons.tsx';
import { complain, say } from '../ui/toast.tsx';
import { all, call, pathOf, type Dns, type Domain, type DomainRow, type MailboxRow } from './api.ts';
import { OrderForm } from './order.tsx';

/** The reseller's domains, the chosen one's records and mailboxes, and a form to order more. */
export function Domains() {
  const [rows, setRows] = useState<DomainRow[] | null>(null);
  const [chosen, setChosen] = useState('');
  const [error, setError] = useState('');
  const load = async (choose = chosen): Promise<void> => {
    setError('');
    try {
      const found = await all<DomainRow>('/domains', 'domains');
      setRows(found);
      setChosen(choose || found[0]?.domain || '');
    } catch (problem) {
      setError(why(problem));
    }
  };
  useEffect(() => void load(), []);
  return (
    <main class="console-body">
      <section class="card">
        <h1>{t('console.domains')}</h1>
        {error && <div class="notice is-error" role="alert">{error} <button type="button" class="link-button" onClick={() => void load()}>{t('retry')}</button></div>}
        {rows?.length === 0 && <p class="quiet">{t('console.none')}</p>}
        <ul class="domains">
          {rows?.map((one) => (
            <li key={one.domain}>
              <button type="button" class="domain" aria-current={one.domain === chosen ? 'true' : undefined} onClick={() => setChosen(one.domain)}>
                <span>{one.domain}</span><State state={one.state} />
              </button>
            </li>
          ))}
        </ul>
        <OrderForm onOrdered={(domain) => void load(domain)} />
      </section>
      {chosen && <Details key={chosen} name={chosen} onChange={() => void load()} />}
    </main>
  );
}

const State = ({ state }: { state: DomainRow['state'] }) => <span class={`badge is-${state}`}>{t(`console.state.${state}`)}</span>;

function Details({ name, onChange }: { name: string; onChange: () => void }) {
  const [domain, setDomain] = useState<Domain | null>(null);
  const [boxes, setBoxes] = useState<MailboxRow[]>([]);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    call<Domain>('GET', pathOf(name)).then(setDomain, (problem) => setError(why(problem)));
    all<MailboxRow>(`${pathOf(name)}/mailboxes`, 'mailboxes').then(setBoxes, (problem) => setError(why(problem)));
  }, []);
  const check = async (): Promise<void> => {
    setBusy(true);
    try {
      setDomain(await call<Domain>('POST', `${pathOf(name)}/check`, {}));
      onChange();
    } catch (problem) {
      complain(why(problem));
    }
    setBusy(false);
  };
  return (
    <section class="card" aria-label={name}>
      <div class="card-head">
        <h2>{name}</h2>
        {domain && <State state={domain.state} />}
        <button type="button" class="button" disabled={busy} onClick={() => void check()}>{busy ? <span class="spinner" /> : <Icon name="refresh" />}{t('console.check')}</button>
      </div>
      {error && <div class="notice is-error" role="alert">{error}</div>}
      <h3>{t('console.records')}</h3>
      {domain && <Records rows={domain.dns} />}
      <h3>{t('console.mailboxes')}</h3>
      <ul class="boxes">
        {boxes.map((box) => (
          <li key={box.address}>
            <span class="box-name">{box.address}</span>
            <span class="quiet">
              {[size(box.storage.used) + ' / ' + size(box.storage.limit), box.imap ? t('console.order.imap') : '', box.admin ? t('console.order.admin') : ''].filter(Boolean).join(' · ')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Records({ rows }: { rows: Dns[] }) {
  return (
    <div class="table" role="region" aria-label={t('console.records')} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('console.record.state')}</th>
            <th scope="col">{t('console.record.type')}</th>
            <th scope="col">{t('console.record.name')}</th>
            <th scope="col">{t('console.record.value')}</th>
          </tr>
        </thead>
        <tbody>{rows.map((row) => <Record key={`${row.name} ${row.type} ${row.value}`} row={row} />)}</tbody>
      </table>
    </div>
  );
}

function Record({ row }: { row: Dns }) {
  return (
    <tr>
      <td>
        <span class={`badge is-${row.state}`} title={row.seen.join(', ')}>{t(`console.record.${row.state}`)}</span>
        {row.required && <span class="quiet required">{t('console.record.required')}</span>}
      </td>
      <td>{row.type}</td>
      <td><Copied text={row.name} what={t('console.record.name')} /></td>
      <td><Copied text={row.value} what={t('console.record.value')} /></td>
    </tr>
  );
}

function Copied({ text, what }: { text: string; what: string }) {
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(() => say(t('console.copied')), (problem) => complain(why(problem)));
  };
  return (
    <span class="copied">
      <code>{text}</code>
      <IconButton icon="copy" label={t('console.copy', { name: `${what} ${text}` })} onClick={copy} />
    </span>
  );
}
