// Compressed bodies, decoded within the limit that they have without compression: what is beyond is
// never made, so that a few bytes cannot fill the memory.

import { promisify } from 'node:util';
import {
  brotliDecompress,
  gunzip,
  type InputType,
  inflate,
  inflateRaw,
  type ZlibOptions,
} from 'node:zlib';
import { CrossdockError } from '../model/errors.ts';

type Decode = (bytes: InputType, options: ZlibOptions) => Promise<Buffer>;

const decoders: ReadonlyMap<string, Decode> = new Map([
  ['gzip', promisify(gunzip) as Decode],
  ['x-gzip', promisify(gunzip) as Decode],
  ['deflate', decodeDeflate],
  ['br', promisify(brotliDecompress) as Decode],
]);

/**
 * What Content-Encoding says, or `undefined` where the body is as it is. Throws
 * `encoding-unsupported` for what is not decoded here, also for several encodings one in the other.
 */
export function encodingOf(header: string | undefined): string | undefined {
  const encoding = (header ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return undefined;
  if (decoders.has(encoding)) return encoding;
  const message = 'Send the body with Content-Encoding gzip, deflate or br, or without any.';
  throw new CrossdockError('encoding-unsupported', message);
}

/**
 * The decoded bytes. Rejects `body-too-large` beyond `bytesMax`, and `request-malformed` where the
 * bytes are cut off or are not of this encoding.
 */
export async function decodeBody(
  bytes: Buffer,
  encoding: string,
  bytesMax: number,
): Promise<Buffer> {
  const decode = decoders.get(encoding);
  if (decode === undefined) throw new Error(`no decoder for ${encoding}`);
  try {
    return await decode(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    throw refusalOf(error, encoding, bytesMax);
  }
}

function refusalOf(cause: unknown, encoding: string, bytesMax: number): CrossdockError {
  if ((cause as { readonly code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
    const message = `At most ${bytesMax} bytes are taken here, decompressed.`;
    return new CrossdockError('body-too-large', message, { cause });
  }
  const message = `The body is not ${encoding}, as Content-Encoding says, or is cut off.`;
  return new CrossdockError('request-malformed', message, { cause });
}

const inflateZlib = promisify(inflate) as Decode;
const inflateBare = promisify(inflateRaw) as Decode;

/** RFC 9110 means zlib's format; some senders leave its two bytes of header away. */
function decodeDeflate(bytes: InputType, options: ZlibOptions): Promise<Buffer> {
  const [first = 0, second = 0] = bytes as Buffer;
  const isZlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  return isZlib ? inflateZlib(bytes, options) : inflateBare(bytes, options);
}
