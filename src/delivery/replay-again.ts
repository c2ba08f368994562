// What an old delivery or event becomes by the files of today.

import type { Definitions } from '../definitions/definitions.ts';
import type { RoutedDelivery, RoutedMessage, Routes } from '../definitions/routes.ts';
import type { Replayed } from '../journal/journal.ts';

/** The project's files as they are now. */
export interface ProjectNow {
  readonly definitions: Definitions;
  readonly routes: Routes;
}

/** The body of an edited replay where the connector that it came from is not there any more. */
export const EDITED_BODY_BYTES_MAX = 10 * 1_024 * 1_024;

/** What the body of a replay may have: as much as its source takes at the door. */
export function editedBodyBytesMax(source: string, now: ProjectNow | undefined): number {
  return now?.definitions.connectors.get(source)?.receive?.limits.bytesMax ?? EDITED_BODY_BYTES_MAX;
}

/**
 * The deliveries that today's flows make of an event. With `flow`, only that one's: the list is
 * empty where there is no such flow today, or where it listens to something else.
 */
export function replayedNow(
  routes: Routes,
  event: RoutedMessage & { readonly eventId: string },
  only: { readonly flow?: string; readonly connector?: string; readonly original?: string } = {},
): readonly Replayed[] {
  return routes
    .route(event)
    .filter(({ flow }) => only.flow === undefined || flow === only.flow)
    .filter(({ connector }) => only.connector === undefined || connector === only.connector)
    .map((routed) => replayedOf(event.eventId, routed, only.original));
}

function replayedOf(eventId: string, routed: RoutedDelivery, original?: string): Replayed {
  const { flow, connector, operation, revision, order, tenant } = routed;
  return {
    eventId,
    flow,
    connector,
    operation,
    revision,
    routed: {
      ...(order === undefined ? {} : { order }),
      ...(tenant === undefined ? {} : { tenant }),
    },
    ...(original === undefined ? {} : { id: original }),
  };
}
