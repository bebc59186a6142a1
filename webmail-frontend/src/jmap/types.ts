/** The JMAP objects that the pages use (RFC 8620, RFC 8621), with the properties they ask for. */
export type Id = string;

export interface Address {
  name: string | null;
  email: string;
}

export interface Mailbox {
  id: Id;
  name: string;
  parentId: Id | null;
  role: string | null;
  sortOrder: number;
  totalEmails: number;
  unreadEmails: number;
}

export interface Part {
  partId: string | null;
  blobId: Id | null;
  size: number;
  name: string | null;
  type: string;
  disposition: string | null;
  cid: string | null;
}

/** What a row of a list shows. */
export interface Row {
  id: Id;
  threadId: Id;
  mailboxIds: Record<Id, true>;
  keywords: Record<string, true>;
  from: Address[] | null;
  to: Address[] | null;
  subject: string | null;
  receivedAt: string;
  hasAttachment: boolean;
  preview: string;
  size: number;
}

/** What the reader and a reply need. */
export interface Email extends Row {
  blobId: Id;
  messageId: string[] | null;
  inReplyTo: string[] | null;
  references: string[] | null;
  sentAt: string | null;
  cc: Address[] | null;
  bcc: Address[] | null;
  replyTo: Address[] | null;
  textBody: Part[];
  htmlBody: Part[];
  attachments: Part[];
  bodyValues: Record<string, { value: string; isTruncated?: boolean; isEncodingProblem?: boolean }>;
}

export interface Identity {
  id: Id;
  name: string;
  email: string;
  replyTo: Address[] | null;
  textSignature: string;
  htmlSignature: string;
}

export interface SetError {
  type: string;
  description?: string | null;
  properties?: string[];
  [extra: string]: unknown;
}

export interface SetAnswer {
  oldState: string | null;
  newState: string;
  created?: Record<string, { id: Id; blobId?: Id; threadId?: Id; size?: number }> | null;
  updated?: Record<Id, unknown> | null;
  destroyed?: Id[] | null;
  notCreated?: Record<string, SetError> | null;
  notUpdated?: Record<Id, SetError> | null;
  notDestroyed?: Record<Id, SetError> | null;
}

export interface ChangesAnswer {
  oldState: string;
  newState: string;
  hasMoreChanges: boolean;
  created: Id[];
  updated: Id[];
  destroyed: Id[];
}

export interface GetAnswer<T> {
  state: string;
  list: T[];
  notFound: Id[];
}

export interface QueryAnswer {
  queryState: string;
  ids: Id[];
  position: number;
  total?: number;
}

export type Call = [method: string, args: Record<string, unknown>, id: string];

export interface ServerSession {
  apiUrl: string;
  downloadUrl: string;
  uploadUrl: string;
  username: string;
  primaryAccounts: Record<string, Id>;
  capabilities: Record<string, Record<string, unknown>>;
  state: string;
}
