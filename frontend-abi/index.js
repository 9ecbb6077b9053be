// The ABIs of all contracts, and what helps to read their answers.

export * from './generated/index.js';

/**
 * The text of a contract's error, nested ones included: `explain(leaderboard.errors,
 * 'LeaderboardError', { Certificate: { BadSignature: { seat: 3 } } })` is
 * "The certificate is not valid: The signature of this seat is … (seat 3)".
 */
export function explain(errors, type, value) {
  const [variant, detail] = typeof value === 'string' ? [value] : (Object.entries(value ?? {})[0] ?? []);
  const entry = errors[type]?.[variant] ?? byAnyCase(errors[type], variant);
  if (!entry) return `unknown error ${JSON.stringify(value)}`;
  const message = entry.message.replace(/\.$/, '');
  if (entry.inner.length > 0 && detail != null) return `${message}: ${explain(errors, entry.inner[0], detail)}`;
  const figures = detail && typeof detail === 'object' ? Object.entries(detail).map(([name, figure]) => `${name} ${figure}`) : [];
  return figures.length > 0 ? `${message} (${figures.join(', ')})` : message;
}

/** polkadot.js writes variants with a small first letter in JSON. */
function byAnyCase(variants, name) {
  const wanted = String(name).toLowerCase();
  return Object.entries(variants ?? {}).find(([variant]) => variant.toLowerCase() === wanted)?.[1];
}
