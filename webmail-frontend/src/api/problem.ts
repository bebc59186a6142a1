import { t } from '../i18n/index.ts';

/** Why something asked of the server did not happen, worded for the person (RFC 9457 `detail`, JMAP `description`). */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds until it is worth trying again; 0 when the server named none. */
  readonly retryAfter: number;

  constructor(message: string, status = 0, code = '', retryAfter = 0) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** A refusal as the response tells it; bodies that are no problem+json give a general sentence. */
export async function problemOf(response: Response): Promise<Problem> {
  const wait = Number(response.headers.get('Retry-After')) || 0;
  let body: { detail?: string; title?: string; code?: string; type?: string } = {};
  try {
    body = (await response.json()) as typeof body;
  } catch {
    // A gateway's own HTML page says nothing to a reader of mail.
  }
  const said = body.detail || body.title;
  const words = said || (response.status === 429 && wait ? t('error.busy', { n: wait }) : t('error.unknown'));
  return new Problem(words, response.status, body.code ?? body.type ?? '', wait);
}

export const why = (error: unknown): string => (error instanceof Problem ? error.message : t('error.unknown'));
