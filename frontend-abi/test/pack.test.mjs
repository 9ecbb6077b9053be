import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as abi from '../index.js';
import { bundle } from '../bundles.js';

const here = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cicada71-pack-'));
after(() => rmSync(folder, { recursive: true }));
const names = Object.keys(abi).filter((name) => abi[name].metadata);

test('bundles carry the code of the metadata', () => {
  for (const name of names) {
    assert.equal(bundle(name).source.hash, abi[name].codeHash);
    assert.match(bundle(name).source.wasm, /^0x0061736d/, name);
  }
  assert.throws(() => bundle('nothing'), /no contract "nothing"/);
  assert.throws(() => bundle('../token'), /no contract/);
});

test('the packed package has all bundles, and reads them', async () => {
  const [{ filename, files }] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: here }));
  const packed = files.map(({ path }) => path);
  for (const name of names) assert.ok(packed.includes(`bundles/${name}.contract`), name);
  assert.ok(!packed.some((path) => path.startsWith('test/') || path.startsWith('node_modules/')));

  execFileSync('tar', ['xf', join(folder, filename), '-C', folder]);
  const own = await import(pathToFileURL(join(folder, 'package/bundles.js')));
  assert.deepEqual(own.bundle('token'), bundle('token'));
  const committed = readFileSync(join(here, '../contracts/bundles/token.contract'), 'utf8');
  assert.equal(readFileSync(join(folder, 'package/bundles/token.contract'), 'utf8'), committed);
});
