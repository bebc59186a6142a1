import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contrast, inkOn, parse, readable, WHITE, type Rgb } from '../src/brand/colour.ts';
import { isValid, parseAddresses, without } from '../src/compose/addresses.ts';
import { answerTo, EMPTY, encoded, LIMITS, subjectFor, threading, toEmail, travelling } from '../src/compose/draft.ts';
import type { Email } from '../src/jmap/types.ts';
import { pieces } from '../src/safety/text.ts';

const email = (part: Partial<Email>): Email => part as Email;
const who = (address: string): { name: null; email: string } => ({ name: null, email: address });

test('any brand colour becomes readable', () => {
  for (const hex of ['#ffe34d', '#000', '#ffffff', '#0f766e', '#7f7f7f', '#ff0000']) {
    const colour = parse(hex) as Rgb;
    assert.ok(contrast(readable(colour, [WHITE]), WHITE) >= 4.5, hex);
    assert.ok(contrast(readable(colour, [[24, 26, 31]]), [24, 26, 31]) >= 4.5, hex);
    assert.ok(contrast(inkOn(colour), colour) >= 4.3, hex);
  }
  assert.equal(parse('red;}'), null);
});

test('recipients are read as people write them', () => {
  assert.deepEqual(parseAddresses('"Lee, Ann" <ann@x.test>; tom@x.test,\n zoe@x.test bob@x.test'), [
    { name: 'Lee, Ann', email: 'ann@x.test' },
    who('tom@x.test'),
    who('zoe@x.test'),
    who('bob@x.test'),
  ]);
  assert.deepEqual(parseAddresses(' , ;\n'), []);
});

test('addresses that cannot be sent to are known', () => {
  for (const good of ['a@b.test', 'first.last+tag@sub.example.test', 'jörg@müller.test', "o'neil@x.test"]) assert.ok(isValid(good), good);
  for (const bad of ['a', 'a@b', '@b.test', 'a b@c.test', 'a@-b.test', 'a..b@c.test', '.a@c.test', `${'a'.repeat(65)}@c.test`]) assert.ok(!isValid(bad), bad);
});

test('the same address twice is one recipient', () => {
  assert.deepEqual(without([who('A@x.test'), who('a@x.test'), who('b@x.test')], [who('B@x.test')]), [who('A@x.test')]);
});

test('an answer goes where its sender asks, and never to oneself', () => {
  const one = email({ from: [who('ann@x.test')], replyTo: [who('list@x.test')], to: [who('me@x.test'), who('tom@x.test')], cc: [who('list@x.test')] });
  assert.deepEqual(answerTo(one, false, 'me@x.test').to, [who('list@x.test')]);
  assert.deepEqual(answerTo(one, true, 'me@x.test'), { to: [who('list@x.test'), who('tom@x.test')], cc: [] });
  const own = email({ from: [who('me@x.test')], replyTo: null, to: [who('tom@x.test')], cc: null });
  assert.deepEqual(answerTo(own, false, 'me@x.test').to, [who('tom@x.test')]);
});

test('threads are kept by RFC 5322', () => {
  assert.deepEqual(threading(email({ messageId: ['3'], references: ['1', '2'], inReplyTo: ['2'] })), { inReplyTo: ['3'], references: ['1', '2', '3'] });
  assert.deepEqual(threading(email({ messageId: ['3'], references: null, inReplyTo: ['2'] })), { inReplyTo: ['3'], references: ['2', '3'] });
  assert.deepEqual(threading(email({ messageId: null, references: null, inReplyTo: null })), { inReplyTo: null, references: null });
});

test('Re: and Fwd: stand once', () => {
  assert.equal(subjectFor('Re', 'RE: Re: AW: Plan'), 'Re: Plan');
  assert.equal(subjectFor('Fwd', 'fw: Plan'), 'Fwd: Plan');
  assert.equal(subjectFor('Re', null), 'Re:');
});

test('S19 the size is that of the message as it travels', () => {
  assert.equal(encoded(57), 78);
  const file = { key: '1', name: 'a', type: 'b', size: 19_500_000, blobId: 'x', share: 1, error: '' };
  assert.ok(travelling({ ...EMPTY(), files: [file] }) > LIMITS.bytes);
  assert.ok(travelling({ ...EMPTY(), files: [{ ...file, size: 19_000_000 }] }) < LIMITS.bytes);
});

test('a draft becomes a JMAP email with both texts', () => {
  const made = toEmail({ ...EMPTY(), html: '<blockquote>q</blockquote>', text: '> q', to: [who('a@x.test')] }, who('me@x.test'), 'd');
  assert.deepEqual(made['mailboxIds'], { d: true });
  assert.match(JSON.stringify(made['bodyValues']), /blockquote style/);
  assert.ok(!('cc' in made) && !('inReplyTo' in made));
  assert.ok(!('htmlBody' in toEmail({ ...EMPTY(), html: null }, who('me@x.test'), 'd')));
});

test('links in text end where a reader would end them', () => {
  const links = (text: string): Array<string | undefined> => pieces(text).map((piece) => piece.href).filter(Boolean);
  assert.deepEqual(links('(see https://x.test/a_(b)), or www.y.test.'), ['https://x.test/a_(b)', 'https://www.y.test']);
  assert.deepEqual(links('write to ann@x.test!'), ['mailto:ann@x.test']);
  assert.deepEqual(links('javascript:alert(1) data:text/html,x'), []);
  assert.equal(pieces('a https://x.test b').map((piece) => piece.text).join(''), 'a https://x.test b');
});
