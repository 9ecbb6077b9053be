// Starts an embedded chain for a test, and finds the JavaScript clients, which frontend-abi's lock file pins.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

const repository = new URL("../../../", import.meta.url);
const require = createRequire(new URL("frontend-abi/package.json", repository));

/** A module of frontend-abi's. */
export const client = (name) => import(pathToFileURL(require.resolve(name)));

/** A file of the repository. */
export const file = (path) => fileURLToPath(new URL(path, repository));

/** Starts the program that CICADA_CHAIN_BINARY names at a free port; `stop` ends it. */
export async function start(...options) {
    const program = process.env.CICADA_CHAIN_BINARY ?? file("node/target/release/cicada-chain");
    const chain = spawn(program, ["--rpc-port", "0", ...options], { stdio: ["ignore", "pipe", "inherit"] });
    const url = await new Promise((resolve, reject) => {
        createInterface(chain.stdout).once("line", resolve);
        chain.once("error", reject);
        chain.once("exit", (status) => reject(new Error(`${program} ended with ${status}`)));
    });
    const stop = () =>
        new Promise((resolve) => {
            chain.removeAllListeners("exit").once("exit", resolve);
            chain.kill();
        });
    return { url, stop };
}
