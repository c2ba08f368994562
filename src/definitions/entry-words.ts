// A way to verify, in words for people.

import type { Json, JsonObject } from '../model/json.ts';
import { isObject } from './content.ts';

const families: Readonly<Record<string, string>> = {
  hmac: 'an HMAC',
  hash: 'a hash with the secret in it',
  rsa: 'an RSA signature',
  ecdsa: 'an ECDSA signature',
  ed25519: 'an Ed25519 signature',
};

export function describeVerify(verify: Json | undefined): string {
  if (verify === undefined) return '';
  if (verify === 'none') return 'Nothing: the vendor signs nothing. Keep the address secret.';
  if (!isObject(verify)) return 'User and password (`Authorization: Basic`).';
  for (const kind of ['any', 'all']) {
    const ways = verify[kind];
    if (!Array.isArray(ways)) continue;
    const list = ways.map((way) => `- ${describeVerify(way as Json)}`).join('\n');
    return `${kind === 'any' ? 'One of these' : 'All of these'}:\n\n${list}`;
  }
  return describeWay(verify);
}

function describeWay(way: JsonObject): string {
  const family = Object.keys(families).find((one) => way[one] !== undefined);
  if (family !== undefined) return describeSignature(way, family);
  if (way['jwt'] !== undefined)
    return 'A JSON Web Token: its signature, issuer, audience and time.';
  if (way['token'] !== undefined) return 'A secret that the vendor sends along as it is.';
  if (way['certificate'] !== undefined)
    return 'The client certificate, as a trusted proxy tells it.';
  if (way['addresses'] !== undefined) return 'The address that the request comes from.';
  return `The vendor's own scheme, \`${String(way['scheme'])}\`.`;
}

function describeSignature(way: JsonObject, family: string): string {
  const hash = typeof way[family] === 'string' ? ` (${String(way[family]).toUpperCase()})` : '';
  const signs = typeof way['signs'] === 'string' ? `\`${way['signs']}\`` : 'the bytes of the body';
  const place = ['header', 'query', 'json', 'form'].find((one) => way[one] !== undefined) ?? '';
  const names = [way[place]].flat().map((one) => `\`${String(one)}\``);
  const { timestamp } = way;
  const tolerance = isObject(timestamp) ? timestamp['tolerance'] : undefined;
  const age = tolerance === undefined ? '' : ` A message may be ${String(tolerance)} old.`;
  const words = families[family] ?? '';
  const sentence = `${words[0]?.toUpperCase()}${words.slice(1)}${hash} of ${signs}`;
  return `${sentence}, in the ${place} ${names.join(' or ')}.${age}`;
}
