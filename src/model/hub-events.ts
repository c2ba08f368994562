/** The source of the events that the hub makes of what happens to it; no connector is called so. */
export const HUB_SOURCE = 'crossdock';

/** What the hub tells of itself; docs/alerts.md has the body of each. */
export const hubTopics = [
  'lane-opened',
  'lane-closed',
  'delivery-dead',
  'problem-opened',
  'connector-disabled',
  'lag-high',
  'event-conflict',
] as const;

export type HubTopic = (typeof hubTopics)[number];
