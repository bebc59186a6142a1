import { signal, type Signal } from '@preact/signals';
import { session } from '../api/auth.ts';
import { Problem, why } from '../api/problem.ts';
import { t } from '../i18n/index.ts';
import { MethodError } from '../jmap/client.ts';
import type { Address, GetAnswer, Id, Identity, SetAnswer } from '../jmap/types.ts';
import { emailSet, mark, refused } from '../mail/actions.ts';
import { refresh, write } from '../mail/load.ts';
import * as store from '../mail/store.ts';
import { hasContent, toEmail, type Draft } from './draft.ts';
import { forget, remember } from './snapshot.ts';

const QUIET_MS = 3_000;
const LONGEST_MS = 9_000;

export type Saving = 'clean' | 'dirty' | 'saving' | 'saved' | 'failed';
let identities: Identity[] = [];

/** A letter while it is written: its words, how far they are saved, and the sending of it. */
export class Letter {
  readonly draft: Signal<Draft>;
  readonly saving = signal<Saving>('clean');
  readonly error = signal('');
  readonly sending = signal(false);
  /** Reads the editor's words into the draft; set by the editor. */
  collect: () => void = () => undefined;
  /** Uploads under way; sending waits for them. */
  readonly uploads = new Set<Promise<void>>();
  #changed = 0;
  #saved = 0;
  #timer = 0;
  #since = 0;
  #work: Promise<unknown> = Promise.resolve();
  #over = false;

  constructor(initial: Draft) {
    this.draft = signal(initial);
  }

  /** Takes a change, keeps it in the tab at once and on the server within 10 seconds. */
  edit(part: Partial<Draft>): void {
    this.draft.value = { ...this.draft.value, ...part };
    this.touch();
  }

  /** Something changed that the editor will tell when asked. */
  touch(): void {
    if (this.#over) return;
    this.#changed += 1;
    this.saving.value = 'dirty';
    const now = Date.now();
    this.#since ||= now;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.save().catch(() => undefined), Math.max(0, Math.min(QUIET_MS, this.#since + LONGEST_MS - now)));
  }

  /** Puts the words into the tab's own storage, for a reload. */
  snapshot(): void {
    if (this.#over) return;
    this.collect();
    if (hasContent(this.draft.value)) remember(session.value?.address ?? '', this.draft.value);
  }

  /** One thing after the other: a save never overtakes a save, nor a send. */
  #queue<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#work.then(work, work);
    this.#work = next.catch(() => undefined);
    return next;
  }

  /** Saves what is not saved. Errors: Problem; the words stay here and the next change tries again. */
  save(): Promise<void> {
    clearTimeout(this.#timer);
    this.snapshot();
    return this.#queue(async () => {
      if (this.#over || this.#changed === this.#saved || !hasContent(this.draft.value)) return;
      this.saving.value = 'saving';
      const at = this.#changed;
      try {
        await this.#store();
      } catch (error) {
        this.saving.value = 'failed';
        this.error.value = why(error);
        this.#since = 0;
        throw error;
      }
      this.#saved = at;
      this.#since = this.#changed === at ? 0 : Date.now();
      this.saving.value = this.#changed === at ? 'saved' : 'dirty';
    });
  }

  /** JMAP emails do not change: the new draft is made first, the one before it goes only then. */
  async #store(): Promise<void> {
    const answer = await emailSet({ create: { draft: await this.#email() } });
    const made = answer.created?.['draft']?.id;
    if (!made) throw new Problem(t('error.unknown'));
    await this.#replace(made);
    void refresh();
  }

  async #replace(made: Id): Promise<void> {
    const before = this.draft.value.id;
    this.draft.value = { ...this.draft.value, id: made };
    if (!this.#over) remember(session.value?.address ?? '', this.draft.value);
    if (before) await this.#remove(before);
  }

  async #remove(id: Id): Promise<void> {
    try {
      await emailSet({ destroy: [id] });
      store.drop([id]);
    } catch {
      // An older copy more in Drafts is better than an error about words that are safe.
    }
  }

  async #email(): Promise<Record<string, unknown>> {
    const identity = await this.#identity();
    const from: Address = { name: identity.name || null, email: identity.email };
    return toEmail(this.draft.value, from, store.byRole('drafts')?.id ?? '');
  }

  async #identity(): Promise<Identity> {
    if (!identities.length) identities = (await store.jmap().call<GetAnswer<Identity>>('Identity/get', { ids: null })).list;
    const mine = identities.find((one) => one.email === session.value?.address) ?? identities[0];
    if (!mine) throw new Problem(t('error.unknown'));
    return mine;
  }

  /** Sends. Errors: Problem; the letter then stays open, and as a draft on the server where that was possible. */
  send(): Promise<void> {
    clearTimeout(this.#timer);
    this.snapshot();
    this.sending.value = true;
    return this.#queue(() => write(() => this.#send())).finally(() => {
      this.sending.value = false;
    });
  }

  async #send(): Promise<void> {
    const identity = await this.#identity();
    const sent = store.byRole('sent')?.id ?? '';
    const answers = await store.jmap().request([
      ['Email/set', { create: { draft: await this.#email() } }, 'e'],
      [
        'EmailSubmission/set',
        {
          create: { send: { emailId: '#draft', identityId: identity.id } },
          onSuccessUpdateEmail: { '#send': { mailboxIds: { [sent]: true }, 'keywords/$draft': null } },
        },
        's',
      ],
    ]);
    const made = answers.get<SetAnswer>('e');
    const error = refused(made);
    if (error) throw error;
    const id = made.created?.['draft']?.id ?? '';
    const failure = submissionError(() => answers.get<SetAnswer>('s'));
    if (failure) await this.#notSent(id, failure);
    await this.#sentAs(id);
  }

  async #notSent(id: Id, failure: Problem): Promise<never> {
    this.#saved = this.#changed;
    this.saving.value = 'saved';
    await this.#replace(id);
    throw failure;
  }

  async #sentAs(id: Id): Promise<void> {
    const { kind, about } = this.draft.value;
    this.#over = true;
    forget();
    await this.#replace(id);
    if (about) void mark(about, kind === 'forward' ? '$forwarded' : '$answered', true);
  }

  /** Throws the letter away, on the server too. */
  async discard(): Promise<void> {
    this.#over = true;
    clearTimeout(this.#timer);
    forget();
    await this.#queue(async () => {
      if (this.draft.value.id) await this.#remove(this.draft.value.id);
    });
    void refresh();
  }

  /** Closes the letter once everything is on the server. Errors: Problem; it then stays open. */
  async close(): Promise<void> {
    await this.save();
    this.#over = true;
    clearTimeout(this.#timer);
    forget();
  }
}

function submissionError(answer: () => SetAnswer): Problem | null {
  try {
    return refused(answer());
  } catch (error) {
    return error instanceof MethodError ? error : new Problem(why(error));
  }
}
