import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Abi } from '@polkadot/api-contract';
import * as abi from '../index.js';

const contracts = Object.entries(abi).filter(([, value]) => value.metadata);

test('all contracts are in the package', () => {
  const names = contracts.map(([name]) => name);
  for (const name of ['leaderboard', 'token', 'validators']) assert.ok(names.includes(name), name);
});

for (const [name, { metadata, codeHash, errors }] of contracts) {
  test(`${name}: polkadot.js reads the metadata`, () => {
    const parsed = new Abi(metadata);
    assert.ok(parsed.constructors.length > 0);
    assert.ok(parsed.messages.length > 0);
    for (const event of parsed.events) {
      assert.ok(event.signatureTopic, `event ${event.identifier} has a signature topic`);
    }
  });

  test(`${name}: the code hash is that of the metadata, and the code is not inside`, () => {
    assert.match(codeHash, /^0x[0-9a-f]{64}$/);
    assert.equal(metadata.source.hash, codeHash);
    assert.equal(metadata.source.wasm, undefined);
  });

  test(`${name}: every message and every error is explained`, () => {
    for (const message of metadata.spec.messages) {
      assert.ok(message.docs.length > 0, `message ${message.label} has no documentation`);
    }
    for (const [type, variants] of Object.entries(errors)) {
      if (type === 'LangError') continue;
      for (const [variant, { message }] of Object.entries(variants)) {
        assert.ok(message, `${type}::${variant} has no message`);
      }
    }
  });
}

test('nested errors are put into words', () => {
  const value = { Certificate: { BadSignature: { seat: 3 } } };
  const text = abi.explain(abi.leaderboard.errors, 'LeaderboardError', value);
  assert.equal(text, 'The certificate is not valid: The signature of this seat is not one of its key under this message (seat 3)');
  assert.match(abi.explain(abi.leaderboard.errors, 'LeaderboardError', 'Nonsense'), /unknown error/);
});
