// One table of attacks for every way to sign: a scheme says how its sender signs, the table forges
// what it can, and each forgery must be refused with the right code and in words.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { SignatureDefinition } from '../../src/definitions/receive.ts';
import type { RefusalCode, Verdict } from '../../src/intake/verdict.ts';
import type { JsonObject } from '../../src/model/json.ts';
import { receiveOf, type TestRequest, verdictOf } from './receiver.ts';

/** What the sender signs with, and what the receiver knows of it; the same text for an HMAC. */
export interface AttackSecret {
  readonly sender: string;
  readonly receiver: string;
}

export interface Signing {
  readonly secret: string;
  readonly body: string;
  /** When it is signed, as the scheme's unit writes it. */
  readonly time: string;
}

export interface AttackScheme {
  readonly name: string;
  /** The `receive:` without its secrets. */
  readonly fields: JsonObject;
  readonly body: string;
  /** As the sender does it: not with our own code. */
  readonly sign: (signing: Signing) => TestRequest;
  /** Own, previous, somebody else's. @default three texts */
  readonly secrets?: Secrets;
  /** Changes a part of the body that is signed. @default each of some bits */
  readonly tamper?: (body: string) => string;
}

const nowMs = Date.parse('2026-11-23T08:00:00Z');

type Secrets = readonly [AttackSecret, AttackSecret, AttackSecret];

const texts: Secrets = [same('own-secret-1'), same('own-secret-2'), same('theirs')];

/** As the vendor hands it out: one text for both sides. */
export function same(text: string): AttackSecret {
  return { sender: text, receiver: text };
}

/** The receiver's view of a scheme: its definition with some secrets. */
interface Rig {
  readonly scheme: AttackScheme;
  readonly secrets: Secrets;
  readonly definition: SignatureDefinition;
  signed(more?: { readonly secret?: string; readonly atMs?: number; time?: string }): TestRequest;
  /** Of a request at a receiver that knows the first two secrets. */
  verdict(request: TestRequest): Promise<Verdict>;
}

function createRig(scheme: AttackScheme): Rig {
  const secrets = scheme.secrets ?? texts;
  const [own, previous] = secrets;
  const known = [own.receiver, previous.receiver];
  const receive = receiveOf({ ...scheme.fields, secrets: known });
  const definition = receive.verify;
  if (definition?.kind !== 'signature') throw new Error('the table is for signatures');
  return {
    scheme,
    secrets,
    definition,
    signed({ secret = own.sender, atMs = nowMs, time = timeOf(definition, atMs) } = {}) {
      return scheme.sign({ secret, body: scheme.body, time });
    },
    verdict: (request) => verdictOf(receive, request, { nowMs }),
  };
}

function timeOf({ timestamp }: SignatureDefinition, atMs: number): string {
  const at = new Date(atMs);
  switch (timestamp?.unit) {
    case 'ms':
      return String(at.getTime());
    case 'iso':
      return at.toISOString();
    case 'http':
      return at.toUTCString();
    default:
      return String(Math.floor(at.getTime() / 1_000));
  }
}

/** Registers the table's tests for one scheme. */
export function attackTable(scheme: AttackScheme): void {
  const rig = createRig(scheme);
  letsIn(rig);
  forgesBody(rig);
  forgesSignature(rig);
  forgesHeaders(rig);
  triesSecrets(rig);
  if (rig.definition.timestamp !== undefined) forgesTime(rig);
}

function letsIn(rig: Rig): void {
  const { scheme, secrets } = rig;
  test(`${scheme.name}: lets in what is signed, and tells by which secret`, async () => {
    assert.deepEqual(await rig.verdict(rig.signed()), { kind: 'authentic', secret: 1 });
    const previous = rig.signed({ secret: secrets[1].sender });
    assert.deepEqual(await rig.verdict(previous), { kind: 'authentic', secret: 2 });
  });
}

function forgesBody(rig: Rig): void {
  const { scheme } = rig;
  const { body = '' } = rig.signed();
  const bytes = Buffer.from(body as string);
  const tampered =
    scheme.tamper === undefined
      ? { ...flippedBodies(bytes), ...longerAndShorter(bytes) }
      : { 'a signed part that is changed': scheme.tamper(bytes.toString()) };
  for (const [name, forged] of Object.entries(tampered)) {
    test(`${scheme.name}: refuses a body with ${name}`, async () => {
      await refuses(rig, { ...rig.signed(), body: forged }, ['signature-wrong', 'not-equal']);
    });
  }
}

function flippedBodies(body: Buffer): Readonly<Record<string, Buffer>> {
  const places = { first: 0, middle: body.length >> 1, last: body.length - 1 };
  return Object.fromEntries(
    Object.entries(places).map(([name, at]) => [`its ${name} bit flipped`, flipped(body, at)]),
  );
}

function longerAndShorter(body: Buffer): Readonly<Record<string, Buffer>> {
  return {
    'a byte more': Buffer.concat([body, Buffer.from('\n')]),
    'a byte more in front': Buffer.concat([Buffer.from(' '), body]),
    'a byte less': body.subarray(0, -1),
    'nothing in it': Buffer.alloc(0),
  };
}

export function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

function forgesSignature(rig: Rig): void {
  const { encoding } = rig.definition;
  const other = encoding === 'hex' ? 'base64' : 'hex';
  const bytesOf = (text: string) => Buffer.from(text, encoding);
  const isUnreadable: readonly RefusalCode[] = ['signature-unreadable'];
  const isWrong: readonly RefusalCode[] = ['signature-wrong'];
  const either: readonly RefusalCode[] = [...isUnreadable, ...isWrong];
  const rows: readonly (readonly [string, readonly RefusalCode[], (text: string) => string])[] = [
    ['its first bit flipped', isWrong, (text) => flipped(bytesOf(text), 0).toString(encoding)],
    [
      'its last bit flipped',
      isWrong,
      (text) => flipped(bytesOf(text), bytesOf(text).length - 1).toString(encoding),
    ],
    ['a character less', isUnreadable, (text) => text.slice(0, -1)],
    ['half of it missing', either, (text) => text.slice(0, text.length >> 1)],
    ['a byte more', either, (text) => appended(bytesOf(text)).toString(encoding)],
    ['another encoding', either, (text) => bytesOf(text).toString(other)],
    ['characters that belong to no encoding', isUnreadable, (text) => `${text}!`],
    ['itself behind it', either, (text) => text + text],
    ['nothing in it', ['signature-unreadable', 'signature-missing'], () => ''],
    ['zeros in it', isWrong, (text) => Buffer.alloc(bytesOf(text).length).toString(encoding)],
  ];
  for (const [name, codes, change] of rows) {
    test(`${rig.scheme.name}: refuses a signature with ${name}`, async () => {
      await refuses(rig, withSignature(rig, change), codes);
    });
  }
}

function appended(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.from([0])]);
}

/** The signature's own text, wherever the scheme has it: in a header, a query or the body. */
function withSignature(rig: Rig, change: (text: string) => string): TestRequest {
  const request = rig.signed();
  const carrier = headerOf(rig, request);
  if (carrier === undefined) {
    const [step] = rig.definition.signature;
    const name = step?.from === 'json' ? String(step.path.at(-1)) : '';
    const written = new RegExp(`(?<="${name}":")[^"]+(?=")`);
    return { ...request, body: String(request.body).replace(written, change) };
  }
  const { prefix, list } = rig.definition;
  const start = `${list?.name}${list?.form === 'pairs' ? '=' : ','}`;
  const before = list === undefined ? 0 : carrier.text.lastIndexOf(start) + start.length;
  const at = before + prefix.length;
  const text = carrier.text.slice(0, at) + change(carrier.text.slice(at));
  return { ...request, headers: { ...request.headers, [carrier.name]: text } };
}

function headerOf(
  { definition }: Rig,
  { headers = {} }: TestRequest,
): { readonly name: string; readonly text: string } | undefined {
  for (const [name, text] of Object.entries(headers)) {
    const isCarrier = definition.signature.some(
      (step) => step.from === 'header' && step.name === name.toLowerCase(),
    );
    if (isCarrier) return { name, text };
  }
  return undefined;
}

function forgesHeaders(rig: Rig): void {
  const carrier = headerOf(rig, rig.signed());
  if (carrier === undefined) return;
  const { name } = rig.scheme;
  const headersWith = (text: string): TestRequest => {
    const request = rig.signed();
    return { ...request, headers: { ...request.headers, [carrier.name]: text } };
  };
  test(`${name}: refuses a request without its signature`, async () => {
    const { [carrier.name]: _, ...headers } = rig.signed().headers ?? {};
    await refuses(rig, { ...rig.signed(), headers }, ['signature-missing']);
    await refuses(rig, headersWith(''), ['signature-missing']);
  });
  test(`${name}: refuses a signature that came twice, although both are right`, async () => {
    const repeated = [carrier.name.toLowerCase()];
    const doubled = headersWith(`${carrier.text}, ${carrier.text}`);
    await refuses(rig, { ...doubled, repeated }, ['signature-repeated']);
    await refuses(rig, { ...rig.signed(), repeated }, ['signature-repeated']);
  });
  test(`${name}: refuses every other header of the signature with a changed text`, async () => {
    const { headers = {} } = rig.signed();
    for (const [other, text] of Object.entries(headers)) {
      if (other === carrier.name) continue;
      const changed = flipped(Buffer.from(text), text.length - 1).toString();
      const request = { ...rig.signed(), headers: { ...headers, [other]: changed } };
      await refuses(rig, request, ['signature-wrong', 'not-equal', 'timestamp-unreadable']);
    }
  });
}

function triesSecrets(rig: Rig): void {
  const { scheme, secrets } = rig;
  const [own, previous, theirs] = secrets;
  test(`${scheme.name}: refuses the right signature of another secret`, async () => {
    await refuses(rig, rig.signed({ secret: theirs.sender }), ['signature-wrong']);
  });
  test(`${scheme.name}: refuses a secret once it has ended, and not before`, async () => {
    const until = (ms: number) => ({
      value: own.receiver,
      notAfter: new Date(nowMs + ms).toISOString(),
    });
    const ended = receiveOf({ ...scheme.fields, secrets: [until(-1), previous.receiver] });
    const verdict = await verdictOf(ended, rig.signed(), { nowMs });
    assertRefused(verdict, ['secret-expired'], rig);
    const lasting = receiveOf({ ...scheme.fields, secrets: [until(0)] });
    assert.equal((await verdictOf(lasting, rig.signed(), { nowMs })).kind, 'authentic');
    const again = receiveOf({ ...scheme.fields, secrets: [until(-1), own.receiver] });
    const verdictOfAgain = await verdictOf(again, rig.signed(), { nowMs });
    assert.deepEqual(verdictOfAgain, { kind: 'authentic', secret: 2 });
  });
  test(`${scheme.name}: lets nobody in with an empty secret`, async () => {
    const isShared = own.sender === own.receiver;
    const request = rig.signed({ secret: isShared ? '' : theirs.sender });
    for (const none of [[''], [' '], []]) {
      const empty = receiveOf({ ...scheme.fields, secrets: none });
      assertRefused(await verdictOf(empty, request, { nowMs }), ['signature-wrong'], rig);
    }
  });
}

function forgesTime(rig: Rig): void {
  const { name } = rig.scheme;
  const { toleranceMs, place } = rig.definition.timestamp ?? { place: [] };
  const at = (ms: number) => rig.signed({ atMs: nowMs + ms });
  test(`${name}: takes a time within the tolerance, back and ahead`, async () => {
    const rangeMs = toleranceMs ?? 10 * 365 * 86_400_000;
    assert.equal((await rig.verdict(at(-rangeMs))).kind, 'authentic');
    assert.equal((await rig.verdict(at(rangeMs))).kind, 'authentic');
  });
  if (toleranceMs !== undefined) {
    test(`${name}: refuses what is too old, too early or has no readable time`, async () => {
      await refuses(rig, at(-toleranceMs - 1_000), ['too-old']);
      await refuses(rig, at(toleranceMs + 1_000), ['too-early']);
      await refuses(rig, rig.signed({ time: 'yesterday' }), ['timestamp-unreadable']);
    });
  }
  const step = place[0];
  if (step?.from !== 'header') return;
  test(`${name}: refuses a request whose time is missing, or came twice`, async () => {
    const { headers = {} } = rig.signed();
    const kept = Object.entries(headers).filter(([one]) => one.toLowerCase() !== step.name);
    const without = { ...rig.signed(), headers: Object.fromEntries(kept) };
    await refuses(rig, without, ['timestamp-missing']);
    await refuses(rig, { ...rig.signed(), repeated: [step.name] }, ['signature-repeated']);
  });
}

async function refuses(
  rig: Rig,
  request: TestRequest,
  codes: readonly RefusalCode[],
): Promise<void> {
  assertRefused(await rig.verdict(request), codes, rig);
}

/** Refused, with one of the codes, in words that hold no secret, no digest and nothing of the body. */
function assertRefused(verdict: Verdict, codes: readonly RefusalCode[], rig: Rig): void {
  assert.equal(verdict.kind, 'refused');
  if (verdict.kind !== 'refused') return;
  assert.ok(codes.includes(verdict.code), `${verdict.code}: ${verdict.reason}`);
  const { reason } = verdict;
  assert.match(reason, /^[a-z][^\n]{9,160}$/);
  const told = [
    ...rig.secrets.flatMap(({ sender, receiver }) => [sender, receiver]),
    createHash('sha256').update(rig.scheme.body).digest('hex').slice(0, 8),
    rig.scheme.body.slice(0, 20),
  ];
  for (const secret of told) assert.ok(!reason.includes(secret), reason);
}
