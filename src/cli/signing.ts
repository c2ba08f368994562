// What `crossdock send` signs: each time another message, or one that must be refused.

import type { KeyObject } from 'node:crypto';
import type { Place, ReceiveDefinition, VerifyDefinition } from '../definitions/receive.ts';
import { elementsOf } from '../intake/elements.ts';
import { type OutgoingWebhook, type SignedWebhook, signWebhook } from '../intake/sign.ts';
import { coversBody, toleranceOf } from '../intake/sign-draft.ts';
import { CrossdockError } from '../model/errors.ts';
import { newId } from '../model/ids.ts';
import type { Sample } from './find-sample.ts';
import { samplePayload } from './sample-payload.ts';

/** How far beyond the tolerance `--old` goes by itself. */
const BEYOND_TOLERANCE_MS = 60_000;

interface Signing {
  readonly topic: string;
  readonly id: string | undefined;
  readonly shop: string | undefined;
  /** What the command line names. */
  readonly body: Buffer | undefined;
  /** What the catalogue has of this topic. */
  readonly sample: Sample | undefined;
  readonly batch: number;
  readonly tamper: boolean;
  readonly family: number;
  readonly path: string;
  readonly agoMs: number;
  readonly privateKey: string | undefined;
  readonly devKey: KeyObject | undefined;
}

export function createSigning(receive: ReceiveDefinition, signing: Signing): () => SignedWebhook {
  const { batch, tamper, family, path, agoMs, privateKey, devKey } = signing;
  return () => {
    const [first, ...more] = Array.from({ length: batch }, (_, index) =>
      messageOf(receive, signing, index),
    );
    const signed = signWebhook(receive, first as OutgoingWebhook, {
      more,
      family,
      path,
      nowMs: Date.now() - agoMs,
      ...(privateKey === undefined ? {} : { privateKey }),
      ...(devKey === undefined ? {} : { devKey }),
    });
    return tamper ? { ...signed, body: flipped(signed.body) } : signed;
  };
}

function messageOf(
  { split }: ReceiveDefinition,
  { topic, id, shop, body, sample, agoMs, batch }: Signing,
  index: number,
): OutgoingWebhook {
  const occurredAt = new Date(Date.now() - agoMs);
  const isSample = body === undefined && sample !== undefined;
  const isList = isSample && batch > 1 && split !== undefined && split.form === undefined;
  const elements = isList ? elementsOf(sample.body, split.list) : [];
  const own = body ?? elements[index % elements.length] ?? sample?.body;
  return {
    topic,
    id: id ?? newId(),
    occurredAt,
    body: own ?? samplePayload(occurredAt),
    ...(isSample && id === undefined ? { newElementId: newId } : {}),
    ...(shop === undefined ? {} : { shop }),
    ...(isSample && sample.contentType !== undefined ? { contentType: sample.contentType } : {}),
  };
}

/** The last byte's lowest bit. */
function flipped(body: Buffer): Buffer {
  const changed = Buffer.from(body);
  const last = changed.length - 1;
  changed[last] = (changed[last] ?? 0) ^ 1;
  return changed;
}

export function requireTamperable({ verify }: ReceiveDefinition): void {
  if (coversBody(verify)) return;
  const message = '--tamper: what this connector verifies does not cover the whole body';
  throw new CrossdockError('usage', message);
}

/** How long ago `--old` signs. */
export function oldMs({ verify }: ReceiveDefinition, given: number | true): number {
  const toleranceMs = toleranceOf(verify);
  if (toleranceMs === undefined) {
    const message = '--old: this connector verifies no time, so no message is too old for it';
    throw new CrossdockError('usage', message);
  }
  if (given === true) return toleranceMs + BEYOND_TOLERANCE_MS;
  if (given > toleranceMs) return given;
  const tolerance = `${Math.ceil(toleranceMs / 1_000)}s`;
  throw new CrossdockError('usage', `--old: the tolerance is ${tolerance}; name a longer time`);
}

/** Which of several header names `header` is, from 0. */
export function familyOf(receive: ReceiveDefinition, header: string | undefined): number {
  if (header === undefined) return 0;
  const places = [
    receive.topic,
    receive.dedupe ?? [],
    receive.occurredAt,
    receive.shop,
    ...signaturePlaces(receive.verify),
  ];
  const lists = places.map((place) =>
    place.flatMap((step) => (step.from === 'header' ? [step.name] : [])),
  );
  for (const names of lists) {
    const at = names.indexOf(header.toLowerCase());
    if (at !== -1) return at;
  }
  const known = [...new Set(lists.flat())].join(', ');
  throw new CrossdockError('usage', `--headers-like: ${header} is none of ${known || 'none'}`);
}

function signaturePlaces(verify: VerifyDefinition | undefined): readonly Place[] {
  if (verify?.kind === 'any' || verify?.kind === 'all') return verify.of.flatMap(signaturePlaces);
  if (verify?.kind === 'signature') return [verify.signature];
  return verify?.kind === 'token' || verify?.kind === 'jwt' ? [verify.token] : [];
}
