import type { Draft } from './draft.ts';

const KEY = 'letter';

interface Snapshot {
  owner: string;
  draft: Draft;
}

/** Keeps the letter in this tab's own storage: it outlives a reload and a session that ended, not the tab. */
export function remember(owner: string, draft: Draft): void {
  const files = draft.files.filter((file) => file.blobId);
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ owner, draft: { ...draft, files } } satisfies Snapshot));
  } catch {
    // A letter above the browser's storage limit is still saved as a draft on the server.
  }
}

export const forget = (): void => sessionStorage.removeItem(KEY);

/** The kept letter, if this person wrote it. */
export function recall(owner: string): Draft | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Snapshot | null;
    return kept && kept.owner === owner ? kept.draft : null;
  } catch {
    return null;
  }
}
