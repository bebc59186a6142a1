import { authorized, SERVER_KEY as KEPT } from '../api/auth.ts';
import { Problem, problemOf } from '../api/problem.ts';
import { t } from '../i18n/index.ts';
import type { Call, GetAnswer, Id, ServerSession, SetError } from './types.ts';

export const CORE = 'urn:ietf:params:jmap:core';
export const MAIL = 'urn:ietf:params:jmap:mail';
export const SUBMISSION = 'urn:ietf:params:jmap:submission';
const QUOTA = 'urn:ietf:params:jmap:quota';
const PRESIGNED = 'urn:x-mail:params:jmap:presigned-upload';

/** A method answered with an error (RFC 8620 §3.6.2), or an object with a SetError (§5.3). */
export class MethodError extends Problem {
  constructor(error: SetError) {
    const wait = Number(error['retryAfter'] ?? error['retry_after']) || 0;
    super(error.description || t('error.unknown'), 0, error.type, wait);
  }
}

/** A reference to an earlier call's result (RFC 8620 §3.7). */
export const ref = (resultOf: string, name: string, path: string): { resultOf: string; name: string; path: string } => ({ resultOf, name, path });

/** The answers of one request, by call id. */
export class Answers {
  readonly #all: Call[];

  constructor(all: Call[]) {
    this.#all = all;
  }

  /** The first answer to a call. Errors: MethodError when the method was refused. */
  get<T>(id: string): T {
    const found = this.#all.find((answer) => answer[2] === id);
    if (!found) throw new Problem(t('error.unknown'), 0, 'serverPartialFail');
    if (found[0] === 'error') throw new MethodError(found[1] as unknown as SetError);
    return found[1] as T;
  }

  /** All answers to a call that made several (EmailSubmission/set with its implicit Email/set, RFC 8621 §7.5). */
  named<T>(method: string): T[] {
    return this.#all.filter((answer) => answer[0] === method).map((answer) => answer[1] as T);
  }
}

export class Client {
  readonly accountId: Id;
  readonly hasQuota: boolean;
  readonly maxUpload: number;
  readonly #server: ServerSession;

  private constructor(server: ServerSession) {
    this.#server = server;
    this.accountId = server.primaryAccounts[MAIL] ?? Object.values(server.primaryAccounts)[0] ?? '';
    this.hasQuota = QUOTA in server.capabilities;
    this.maxUpload = this.#limit('maxSizeUpload', 4_000_000);
  }

  /** Reads the session resource (RFC 8620 §2), or takes it as this tab has read it before. */
  static async open(): Promise<Client> {
    const kept = sessionStorage.getItem(KEPT);
    if (kept) return new Client(JSON.parse(kept) as ServerSession);
    const response = await authorized('/jmap/session', { headers: { Accept: 'application/json' } });
    if (!response.ok) throw await problemOf(response);
    const server = (await response.json()) as ServerSession;
    sessionStorage.setItem(KEPT, JSON.stringify(server));
    return new Client(server);
  }

  #limit(name: string, otherwise: number): number {
    const said = this.#server.capabilities[CORE]?.[name];
    return typeof said === 'number' && said > 0 ? said : otherwise;
  }

  #url(template: string, values: Record<string, string>): string {
    return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
  }

  /** One request of several calls. `accountId` is put into each. Errors: Problem; a refused method only on `get`. */
  async request(calls: Call[], signal?: AbortSignal): Promise<Answers> {
    const methodCalls = calls.map(([name, args, id]): Call => [name, { accountId: this.accountId, ...args }, id]);
    const wanted = [CORE, MAIL, SUBMISSION, QUOTA].filter((one) => one in this.#server.capabilities);
    const response = await authorized(this.#server.apiUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({ using: wanted, methodCalls }),
      signal: signal ?? null,
    });
    if (!response.ok) throw await problemOf(response);
    const answer = (await response.json()) as { methodResponses: Call[]; sessionState?: string };
    // RFC 8620 §3.4: another state means that the session resource has changed.
    if (answer.sessionState !== this.#server.state) sessionStorage.removeItem(KEPT);
    return new Answers(answer.methodResponses);
  }

  /** One call, its answer. */
  async call<T>(name: string, args: Record<string, unknown>): Promise<T> {
    return (await this.request([[name, args, '0']])).get<T>('0');
  }

  /** `/get` of any number of ids, in pieces that the server takes. */
  async getAll<T>(type: string, ids: readonly Id[], args: Record<string, unknown> = {}): Promise<T[]> {
    const step = this.#limit('maxObjectsInGet', 256);
    const found: T[] = [];
    for (let at = 0; at < ids.length; at += step) {
      const answer = await this.call<GetAnswer<T>>(`${type}/get`, { ...args, ids: ids.slice(at, at + step) });
      found.push(...answer.list);
    }
    return found;
  }

  /** A blob's bytes (RFC 8620 §6.2), asked for as the given type. */
  async download(blobId: Id, name: string, type: string): Promise<Blob> {
    const url = this.#url(this.#server.downloadUrl, { accountId: this.accountId, blobId, name, type });
    const response = await authorized(url);
    if (!response.ok) throw await problemOf(response);
    return new Blob([await response.arrayBuffer()], { type });
  }

  /** Uploads a file, by a presigned address where it is above what the API takes. Returns its blobId. */
  async upload(file: Blob, type: string, progress: (share: number) => void, signal: AbortSignal): Promise<Id> {
    if (file.size > this.maxUpload && PRESIGNED in this.#server.capabilities) return this.#presigned(file, type, progress, signal);
    const url = this.#url(this.#server.uploadUrl, { accountId: this.accountId });
    const response = await authorized(url, { method: 'POST', headers: { 'Content-Type': type }, body: file, signal });
    if (!response.ok) throw await problemOf(response);
    progress(1);
    return ((await response.json()) as { blobId: Id }).blobId;
  }

  async #presigned(file: Blob, type: string, progress: (share: number) => void, signal: AbortSignal): Promise<Id> {
    const said = this.#server.capabilities[PRESIGNED]?.['uploadUrl'];
    const template = typeof said === 'string' ? said : '/jmap/upload-url/{accountId}';
    const response = await authorized(this.#url(template, { accountId: this.accountId }), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ size: file.size, type }),
      signal,
    });
    if (!response.ok) throw await problemOf(response);
    const slot = (await response.json()) as { url: string; method?: string; headers?: Record<string, string>; blobId: Id };
    await put(slot.url, slot.method ?? 'PUT', slot.headers ?? {}, file, progress, signal);
    return slot.blobId;
  }
}

/** A PUT that tells its progress, which fetch cannot. The token never goes to the blob store. */
function put(url: string, method: string, headers: Record<string, string>, file: Blob, progress: (share: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) {
      if (!/^(host|content-length)$/i.test(name)) request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => progress(event.total ? event.loaded / event.total : 0);
    request.onload = () => (request.status < 300 ? done() : failed(new Problem(t('compose.uploadfailed'), request.status)));
    request.onerror = () => failed(new Problem(t('error.network'), 0, 'network'));
    request.onabort = () => failed(new DOMException('aborted', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}
