/** What `GET /events/:id` says, as far as the demo reads it. */
export interface EventStatus {
  readonly state: 'unrouted' | 'open' | 'dead' | 'finished';
  readonly deliveries: readonly DeliveryStatus[];
}

export interface DeliveryStatus {
  readonly flow: string;
  readonly state: string;
  readonly attempts: number;
  readonly reason?: string;
}

/** `undefined` where the hub gives no answer that can be read. */
export async function readEventStatus(
  stage: { readonly hub: { readonly url: string }; readonly adminToken: string },
  id: string,
): Promise<EventStatus | undefined> {
  try {
    const response = await fetch(`${stage.hub.url}/events/${id}`, {
      headers: { authorization: `Bearer ${stage.adminToken}`, accept: 'application/json' },
      signal: AbortSignal.timeout(5_000),
    });
    const text = await response.text();
    return response.ok ? (JSON.parse(text) as EventStatus) : undefined;
  } catch {
    return undefined;
  }
}
