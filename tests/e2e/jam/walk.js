// Walks through a mailbox with jmap-jam, a client that we did not write. Usage: node walk.js NAME JSON, where
// JSON has sessionUrl, token and what the walk needs. Prints what the client got as one JSON document; a refusal
// that the client throws is printed to stderr and ends with 1.
import JamClient from 'jmap-jam';

const [name, given] = process.argv.slice(2);
const args = JSON.parse(given);
const jam = new JamClient({sessionUrl: args.sessionUrl, bearerToken: args.token});
const accountId = await jam.getPrimaryAccount();

async function folder(role) {
  const [found] = await jam.api.Mailbox.query({accountId, filter: {role}});
  return found.ids[0];
}

// What the client throws; null where it throws nothing.
const refusal = (promise) => promise.then(() => null, (error) => error);

const walks = {
  session: () => jam.session,

  async mailboxes() {
    const properties = ['name', 'role', 'totalEmails'];
    const [found] = await jam.api.Mailbox.get({accountId, ids: null, properties});
    return found.list;
  },

  // The list of a mailbox, its threads and all emails of these: four calls of one request, each from the last.
  async list() {
    const inMailbox = await folder('inbox');
    const [found, meta] = await jam.requestMany((t) => {
      const query = t.Email.query({
        accountId, filter: {inMailbox}, sort: [{property: 'receivedAt', isAscending: false}], limit: 10,
      });
      const first = t.Email.get({accountId, ids: query.$ref('/ids'), properties: ['threadId']});
      const threads = t.Thread.get({accountId, ids: first.$ref('/list/*/threadId')});
      const emails = t.Email.get({
        accountId,
        ids: threads.$ref('/list/*/emailIds'),
        properties: ['subject', 'threadId', 'from', 'textBody', 'bodyValues'],
        fetchTextBodyValues: true,
      });
      return {query, first, threads, emails};
    });
    return {...found, sessionState: meta.sessionState};
  },

  // A draft and its submission in one request; the draft becomes a sent message by onSuccessUpdateEmail.
  async send() {
    const [drafts, sent] = [await folder('drafts'), await folder('sent')];
    const [{list: [identity]}] = await jam.api.Identity.get({accountId, ids: null});
    const [made, meta] = await jam.requestMany((t) => ({
      draft: t.Email.set({
        accountId,
        create: {
          letter: {
            mailboxIds: {[drafts]: true},
            keywords: {$draft: true, $seen: true},
            from: [{name: identity.name, email: identity.email}],
            to: [{name: 'Far Away', email: args.to}],
            subject: args.subject,
            bodyValues: {text: {value: args.text}},
            textBody: [{partId: 'text', type: 'text/plain'}],
            attachments: args.attachments ?? [],
          },
        },
      }),
      // Its own answer and that of the Email/set which follows from it have one call id: jam keeps the latter.
      followed: t.EmailSubmission.set({
        accountId,
        create: {
          sending: {
            emailId: '#letter', identityId: identity.id,
            envelope: {
              mailFrom: {email: identity.email, parameters: null},
              rcptTo: [{email: args.to, parameters: null}],
            },
          },
        },
        onSuccessUpdateEmail: {
          '#sending': {[`mailboxIds/${drafts}`]: null, [`mailboxIds/${sent}`]: true, 'keywords/$draft': null},
        },
      }),
    }), {createdIds: {}});
    const id = made.draft.created.letter.id;
    const {createdIds} = meta;
    const [{list: [email]}] = await jam.api.Email.get({accountId, ids: [id], properties: ['mailboxIds', 'keywords']});
    const [{list: [submission]}] = await jam.api.EmailSubmission.get({accountId, ids: [createdIds.sending]});
    return {id, drafts, sent, ...made, createdIds, email, submission};
  },

  async blob() {
    const octets = Uint8Array.from(atob(args.base64), (c) => c.charCodeAt(0));
    const uploaded = await jam.uploadBlob(accountId, new Blob([octets], {type: args.type}));
    const response = await jam.downloadBlob({
      accountId, blobId: uploaded.blobId, mimeType: args.type, fileName: args.name,
    });
    const got = Buffer.from(await response.arrayBuffer()).toString('base64');
    const headers = ['content-type', 'content-disposition'].map((header) => response.headers.get(header));
    return {uploaded, got, headers};
  },

  async flags() {
    const asked = {accountId, ids: [args.id], properties: ['keywords']};
    const [before] = await jam.api.Email.get(asked);
    const change = (patch) => jam.api.Email.set({
      accountId, ifInState: before.state, update: {[args.id]: patch},
    });
    const [set] = await change({'keywords/$seen': true, 'keywords/$flagged': true, 'keywords/blue': true});
    const [after] = await jam.api.Email.get(asked);
    const stale = await refusal(change({'keywords/$seen': null}));
    return {before: before.list[0].keywords, set, after: after.list[0].keywords, state: after.state, stale};
  },

  // From a state on: one email is made, one changed, one destroyed, and all are asked for with what changed.
  async changes() {
    const [drafts, inbox] = [await folder('drafts'), await folder('inbox')];
    const [{state}] = await jam.api.Email.get({accountId, ids: []});
    const [{state: mailboxState}] = await jam.api.Mailbox.get({accountId, ids: []});
    const [set] = await jam.api.Email.set({
      accountId,
      create: {made: {mailboxIds: {[drafts]: true}, keywords: {$draft: true}, subject: 'made'}},
      update: {[args.changed]: {'keywords/$answered': true}},
      destroy: [args.destroyed],
    });
    const [found] = await jam.requestMany((t) => {
      const changes = t.Email.changes({accountId, sinceState: state});
      const mailboxes = t.Mailbox.changes({accountId, sinceState: mailboxState});
      const created = t.Email.get({accountId, ids: changes.$ref('/created'), properties: ['subject']});
      const updated = t.Email.get({accountId, ids: changes.$ref('/updated'), properties: ['keywords']});
      const gone = t.Email.get({accountId, ids: changes.$ref('/destroyed'), properties: ['id']});
      return {changes, mailboxes, created, updated, gone};
    });
    const [idle] = await jam.api.Email.changes({accountId, sinceState: found.changes.newState});
    const unknown = await refusal(jam.api.Email.changes({accountId, sinceState: 'never'}));
    return {drafts, inbox, set, ...found, idle, unknown};
  },

  async search() {
    const [found] = await jam.requestMany((t) => {
      const query = t.Email.query({accountId, filter: {text: args.text}});
      const emails = t.Email.get({accountId, ids: query.$ref('/ids'), properties: ['subject']});
      const snippets = t.SearchSnippet.get({accountId, filter: {text: args.text}, emailIds: query.$ref('/ids')});
      return {query, emails, snippets};
    });
    return found;
  },

  // What the client makes of refusals: one of a method, one of a request.
  async refusals() {
    const method = await refusal(jam.request(['Email/get', {accountId: 'other', ids: []}]));
    const request = await refusal(jam.request(['Core/echo', {}], {using: ['urn:example:none']}));
    const upload = await refusal(jam.uploadBlob('other', 'x'));
    return {method, request, upload: upload.cause};
  },
};

try {
  console.log(JSON.stringify(await walks[name]()));
} catch (refused) {
  console.error(refused);
  process.exitCode = 1;
}
