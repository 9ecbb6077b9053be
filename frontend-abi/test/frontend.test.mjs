// What a frontend does with the package: bundle it for a browser, and compile against its types.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const project = mkdtempSync(join(tmpdir(), 'cicada71-frontend-'));
after(() => rmSync(project, { recursive: true, force: true }));
mkdirSync(join(project, 'node_modules/@cicada71'), { recursive: true });
symlinkSync(root, join(project, 'node_modules/@cicada71/abi'));
for (const file of ['main.js', 'use.ts']) copyFileSync(join(here, 'inputs', file), join(project, file));
writeFileSync(join(project, 'package.json'), '{"type":"module"}');

test('a bundler for browsers takes the package and leaves nothing of Node in it', async () => {
  const { outputFiles } = await build({
    entryPoints: [join(project, 'main.js')],
    bundle: true, platform: 'browser', format: 'esm', write: false, logLevel: 'silent',
  });
  const text = outputFiles[0].text;
  assert.doesNotMatch(text, /node:fs|readFileSync/);
  assert.match(text, /ExchangeError/);
});

// `skipLibCheck`, as projects have it: declarations of dedot itself do not stand without.
for (const moduleResolution of ['nodenext', 'bundler']) {
  test(`a wrong argument does not compile (${moduleResolution})`, () => {
    const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext';
    const compilerOptions = { noEmit: true, strict: true, target: 'es2022', module, moduleResolution, skipLibCheck: true, types: [] };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', project], { cwd: project, encoding: 'utf8' });
    assert.notEqual(status, 0);
    assert.match(stdout, /use\.ts\(3,\d+\): error TS2345/, stdout);
    assert.doesNotMatch(stdout, /TS2307/, stdout);
  });
}
