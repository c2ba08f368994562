import type { Verdict } from './verdict.ts';
import type { Verifier } from './verify.ts';
import { createRequestReader, type RequestReader } from './webhook-request.ts';

/**
 * Verifies a request whose body may have been compressed: vendors differ in which of the two bodies
 * they sign, so that the bytes as they were sent are tried first, then the decoded ones, and one that
 * fits is enough.
 */
export async function verifyEither(
  verifier: Verifier,
  from: {
    readonly reader: RequestReader;
    readonly sentBody: Buffer | undefined;
    readonly url: string | undefined;
    /** When it came. */
    readonly nowMs: number;
  },
): Promise<Verdict> {
  const { reader, sentBody, url, nowMs } = from;
  if (sentBody !== undefined) {
    const asSent = createRequestReader({ ...reader.request, body: sentBody }, { url });
    const verdict = await verifier(asSent, nowMs);
    if (verdict.kind !== 'refused') return verdict;
  }
  return verifier(reader, nowMs);
}
