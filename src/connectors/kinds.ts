import type { ConnectorKind } from './connector.ts';
import { fileKind } from './file-connector.ts';
import { httpKind } from './http-connector.ts';
import { smtpKind } from './smtp-connector.ts';

/** Every kind of connector there is. A new one is one line here. */
export const connectorKinds: readonly ConnectorKind[] = [httpKind, smtpKind, fileKind];
