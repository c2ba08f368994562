import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../model/log.ts';

const TRIES = 3;
const TRY_MS = 5_000;
const REST_MS = 2_000;

/** Amazon's own hosts, and nothing in the address that could lead elsewhere. */
export function isSubscribeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, port, username, password, searchParams } = new URL(text);
  return (
    protocol === 'https:' &&
    /^sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?$/.test(hostname) &&
    `${port}${username}${password}` === '' &&
    searchParams.get('Action') === 'ConfirmSubscription'
  );
}

/** Off the way of the request, which was signed: tells Amazon that the subscription is wanted. */
export async function confirmSubscription(url: string | undefined, log: Log): Promise<void> {
  if (url === undefined || !isSubscribeUrl(url)) {
    log.warn({}, 'a subscription is not confirmed: its address is none of Amazon SNS');
    return;
  }
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    try {
      const signal = AbortSignal.timeout(TRY_MS);
      const response = await fetch(url, { redirect: 'error', signal });
      await response.body?.cancel();
      if (response.ok) {
        log.info({}, 'a subscription of SNS is confirmed');
        return;
      }
      log.warn({ status: response.status }, 'a subscription of SNS is not confirmed yet');
    } catch (error) {
      log.warn({ err: error }, 'a subscription of SNS is not confirmed yet');
    }
    await sleep(REST_MS * attempt, undefined, { ref: false });
  }
}
