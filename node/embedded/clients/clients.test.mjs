// polkadot.js and dedot connect to the embedded chain, read, send transactions and use a contract.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { client, file, start } from "./chain.mjs";

const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
const UNIT = 1_000_000_000_000n;
const SUPPLY = 1_000_000n;

const { ApiPromise, Keyring, WsProvider } = await client("@polkadot/api");
const { CodePromise, ContractPromise } = await client("@polkadot/api-contract");
const { DedotClient, LegacyClient, WsProvider: DedotProvider } = await client("dedot");
const { Contract, ContractDeployer } = await client("dedot/contracts");

const bundle = JSON.parse(readFileSync(process.env.CICADA_TOKEN ?? file("contracts/bundles/token.contract")));
let chain;
let alice;
before(async () => {
    chain = await start("--finalize-delay-sec", "0");
    alice = new Keyring({ type: "sr25519" }).addFromUri("//Alice");
});
after(() => chain.stop());

/** Signs and sends with polkadot.js; the result once it is final. */
const finalized = (transaction, signer) =>
    new Promise((resolve, reject) => {
        transaction
            .signAndSend(signer, (result) => {
                if (result.dispatchError) reject(new Error(result.dispatchError.toString()));
                else if (result.isError) reject(new Error(result.status.toString()));
                else if (result.isFinalized) resolve(result);
            })
            .catch(reject);
    });

test("polkadot.js reads, transfers, and uses a contract", async () => {
    const api = await ApiPromise.create({ provider: new WsProvider(chain.url), noInitWarn: true });
    try {
        assert.equal((await api.rpc.system.chain()).toString(), "Cicada Development");
        const free = async () => (await api.query.system.account(BOB)).data.free.toBigInt();
        const old = await free();
        const sent = await finalized(api.tx.balances.transferKeepAlive(BOB, UNIT), alice);
        assert.equal(await free(), old + UNIT);
        assert.ok(sent.events.some(({ event }) => api.events.balances.Transfer.is(event)));
        const block = await api.rpc.chain.getBlock(sent.status.asFinalized);
        assert.equal(block.block.extrinsics.length, 2);

        const gasLimit = api.registry.createType("WeightV2", { refTime: 100_000_000_000n, proofSize: 1_000_000n });
        const code = new CodePromise(api, bundle, bundle.source.wasm);
        const deployed = await finalized(code.tx.new({ gasLimit }, "Token", "TOK", 9, SUPPLY), alice);
        const token = new ContractPromise(api, bundle, deployed.contract.address);
        const balance = async (who) => {
            const { output } = await token.query["psp22::balanceOf"](ALICE, { gasLimit }, who);
            return output.asOk.toBigInt();
        };
        assert.equal(await balance(ALICE), SUPPLY);
        await finalized(token.tx["psp22::transfer"]({ gasLimit }, BOB, 5n, []), alice);
        assert.equal(await balance(BOB), 5n);
    } finally {
        await api.disconnect();
    }
});

for (const [name, Client] of [["dedot", DedotClient], ["dedot's legacy client", LegacyClient]]) {
    test(`${name} reads, transfers, and uses a contract`, async () => {
        const api = await Client.new(new DedotProvider(chain.url));
        try {
            const free = async () => (await api.query.system.account(BOB)).data.free;
            const old = await free();
            const sent = await api.tx.balances.transferKeepAlive(BOB, UNIT).signAndSend(alice).untilFinalized();
            assert.equal(sent.dispatchError, undefined);
            assert.equal(await free(), old + UNIT);

            const deployer = new ContractDeployer(api, bundle, bundle.source.wasm, { defaultCaller: ALICE });
            const salt = `0x${Buffer.from(name).toString("hex")}`;
            const gas = { refTime: 100_000_000_000n, proofSize: 1_000_000n };
            const arguments_ = ["Token", "TOK", 9, SUPPLY];
            const deployed = await deployer.tx
                .new(...arguments_, { gasLimit: gas, salt })
                .signAndSend(alice)
                .untilFinalized();
            const address = await deployed.contractAddress();
            const token = new Contract(api, bundle, address, { defaultCaller: ALICE });
            assert.equal((await token.query.psp22BalanceOf(ALICE)).data, SUPPLY);
        } finally {
            await api.disconnect();
        }
    });
}
