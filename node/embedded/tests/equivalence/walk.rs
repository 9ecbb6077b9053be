//! Transactions over all contracts: what works and what fails.

use crate::{
    arguments::{Bundle, Recipe},
    common::{
        transactions::{signed, transfer, UNIT},
        Client,
    },
};
use cicada_embedded::{chain::Block, node::Node, runtime};
use cicada_runtime::{AccountId, Balance, Hash, Nonce, RuntimeCall};
use codec::{Decode, Encode};
use frame_support::weights::Weight;
use serde_json::json;
use sp_core::Bytes;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie};
use sp_runtime::MultiAddress;
use std::{collections::BTreeMap, path::Path};

/// The project's contracts, each after those that it is told of.
const CONTRACTS: [&str; 11] = [
    "token",
    "validators",
    "leaderboard",
    "capabilities",
    "escrow",
    "reputation",
    "auction",
    "exchange",
    "index",
    "pair",
    "rewards",
];
/// Numbers that arguments are tried with.
const NUMBERS: [u128; 10] = [60_000, 0, 1, 2, 5, 23, 1000, 5000, 3_600_000, 86_400_000];
/// How many combinations of them a constructor is tried with.
const TRIES: usize = 10_000;
/// Numbers and variants that each message is called with.
const CALLS: [(u128, usize); 2] = [(1, 0), (1000, 1)];
const GAS: Weight = Weight::from_parts(100_000_000_000, 2_000_000);

type InstantiateResult = pallet_contracts::ContractInstantiateResult<
    AccountId,
    Balance,
    frame_system::EventRecord<cicada_runtime::RuntimeEvent, Hash>,
>;

/// A contract on the chain.
struct Deployed {
    bundle: Bundle,
    address: AccountId,
}

/// Who sent how much, and what is there.
pub struct Walk {
    genesis: Hash,
    nonces: BTreeMap<String, Nonce>,
    accounts: Vec<AccountId>,
    contracts: BTreeMap<String, AccountId>,
    deployed: Vec<Deployed>,
}

impl Walk {
    /// The beginning, on an empty chain.
    pub fn new(client: &mut Client) -> Self {
        Self {
            genesis: client.genesis(),
            nonces: BTreeMap::new(),
            accounts: [Alice, Bob, Charlie].map(|who| who.to_account_id()).to_vec(),
            contracts: BTreeMap::new(),
            deployed: Vec::new(),
        }
    }

    fn signed(&mut self, who: Sr25519Keyring, call: RuntimeCall) -> serde_json::Value {
        let nonce = self.nonces.entry(who.to_string()).or_default();
        let transaction = signed(call, who, *nonce, u128::from(*nonce % 3), self.genesis);
        *nonce += 1;
        json!([Bytes(transaction)])
    }

    fn send(&mut self, client: &mut Client, who: Sr25519Keyring, call: RuntimeCall) {
        let transaction = self.signed(who, call);
        client.ok("author_submitExtrinsic", transaction);
    }

    /// Sends a last one and waits until it is final, and so all before it.
    fn send_and_wait(&mut self, client: &mut Client, who: Sr25519Keyring, call: RuntimeCall) {
        let transaction = self.signed(who, call);
        let watch = client.subscribe("author_submitAndWatchExtrinsic", transaction);
        client.until(&watch, |status| status.get("finalized").is_some());
    }

    /// Transfers, many in a block.
    pub fn transfers(&mut self, client: &mut Client) {
        for place in 0..20u8 {
            let to = AccountId::from([place; 32]);
            self.send(client, Alice, transfer(to.clone(), u128::from(place) * UNIT));
            self.send(client, Bob, transfer(to, UNIT / 3));
        }
        for who in [Alice, Bob] {
            self.send_and_wait(client, who, transfer(Charlie.to_account_id(), UNIT));
        }
    }

    /// Deploys every contract, with arguments that its constructor takes, and a second token.
    pub fn deploy_all(&mut self, client: &mut Client, bundles: &Path) {
        for name in CONTRACTS {
            let path = bundles.join(name).with_extension("contract");
            let bundle = Bundle::read(&path);
            let address = self.deploy(client, &bundle, &[]);
            if name == "token" {
                let second = self.deploy(client, &bundle, &[2]);
                self.contracts.insert("token_b".into(), second);
                self.contracts.insert("token_a".into(), address.clone());
                self.contracts.insert("currency".into(), address.clone());
            }
            self.contracts.insert(name.into(), address.clone());
            self.deployed.push(Deployed { bundle, address });
        }
    }

    fn deploy(&mut self, client: &mut Client, bundle: &Bundle, salt: &[u8]) -> AccountId {
        let constructors = bundle.constructors();
        let constructor = &constructors[0];
        for combination in 0..TRIES {
            let data = bundle.input(constructor, |place| {
                let number = NUMBERS[combination / NUMBERS.len().pow(place as u32) % NUMBERS.len()];
                self.recipe(number, combination)
            });
            if let Some(address) = self.try_instantiate(client, bundle, &data, salt) {
                let call = RuntimeCall::Contracts(pallet_contracts::Call::instantiate_with_code {
                    value: 0,
                    gas_limit: GAS,
                    storage_deposit_limit: None,
                    code: bundle.wasm.clone(),
                    data,
                    salt: salt.to_vec(),
                });
                self.send_and_wait(client, Alice, call);
                return address;
            }
            if constructor.arity() == 0 {
                break;
            }
        }
        panic!("{}::{} takes no arguments that were tried", bundle.name, constructor.label);
    }

    /// The address that a deployment would have, unless it would fail.
    fn try_instantiate(
        &self,
        client: &mut Client,
        bundle: &Bundle,
        data: &[u8],
        salt: &[u8],
    ) -> Option<AccountId> {
        let code = pallet_contracts::Code::<Hash>::Upload(bundle.wasm.clone());
        let arguments =
            (Alice.to_account_id(), 0u128, Some(GAS), None::<Balance>, code, data, salt).encode();
        let answer = client.ok("state_call", json!(["ContractsApi_instantiate", Bytes(arguments)]));
        let answer: Bytes = serde_json::from_value(answer).expect("it is bytes");
        let result = InstantiateResult::decode(&mut &answer[..]).expect("it is a result");
        let instance = result.result.ok()?;
        (!instance.result.did_revert()).then_some(instance.account_id)
    }

    fn recipe(&self, number: u128, pick: usize) -> Recipe<'_> {
        Recipe { number, pick, contracts: &self.contracts, accounts: &self.accounts }
    }

    /// Every message of every contract, by two senders and with two kinds of arguments.
    pub fn call_all(&mut self, client: &mut Client) {
        for place in 0..self.deployed.len() {
            for (who, (number, pick)) in [Alice, Bob].into_iter().zip(CALLS) {
                let contract = &self.deployed[place];
                let inputs: Vec<Vec<u8>> = contract.inputs(self.recipe(number, pick));
                let address = contract.address.clone();
                for data in inputs {
                    self.send(client, who, call(address.clone(), 0, GAS, data));
                }
                self.send_and_wait(client, who, transfer(Charlie.to_account_id(), UNIT));
            }
        }
    }

    /// Calls without enough gas, with money that nobody wants, of nothing, and by nobody who may.
    pub fn go_wrong(&mut self, client: &mut Client) {
        let addresses: Vec<AccountId> =
            self.deployed.iter().map(|contract| contract.address.clone()).collect();
        for address in addresses {
            let little = Weight::from_parts(50_000_000, 100_000);
            self.send(client, Alice, call(address.clone(), 0, little, vec![0; 4]));
            self.send(client, Bob, call(address.clone(), UNIT, GAS, vec![1, 2, 3, 4]));
            self.send(client, Charlie, call(address, 0, GAS, vec![]));
        }
        self.send(client, Alice, call(Bob.to_account_id(), 0, GAS, vec![]));
        let all = transfer(Bob.to_account_id(), 100_000_000 * UNIT);
        self.send(client, Charlie, all.clone());
        for who in [Bob, Alice] {
            let call = Box::new(all.clone());
            self.send(client, who, RuntimeCall::Sudo(pallet_sudo::Call::sudo { call }));
        }
        let code = vec![0, 97, 115, 109, 9, 9, 9, 9];
        let upload = pallet_contracts::Call::upload_code {
            code,
            storage_deposit_limit: None,
            determinism: pallet_contracts::Determinism::Enforced,
        };
        self.send(client, Bob, RuntimeCall::Contracts(upload));
        for who in [Alice, Bob, Charlie] {
            self.send_and_wait(client, who, transfer(AccountId::from([9; 32]), UNIT));
        }
    }

    /// Compares what dry runs of all messages are answered, byte for byte; how many there were.
    pub fn dry_runs(&self, client: &mut Client, best: &Block, embedded: &Node) -> usize {
        let view = embedded.state(best);
        let mut count = 0;
        for contract in &self.deployed {
            for (number, pick) in CALLS {
                for data in contract.inputs(self.recipe(number, pick)) {
                    let call = (
                        Alice.to_account_id(),
                        &contract.address,
                        0u128,
                        None::<Weight>,
                        None::<Balance>,
                        data,
                    );
                    let arguments = call.encode();
                    let own = runtime::query_raw(&view, "ContractsApi_call", &arguments);
                    let method = json!(["ContractsApi_call", Bytes(arguments), best.hash]);
                    let answer = client.ok("state_call", method);
                    let own = json!(Bytes(own.expect("the runtime answers")));
                    assert_eq!(answer, own, "a dry run on {} differs", contract.bundle.name);
                    count += 1;
                }
            }
        }
        count
    }
}

impl Deployed {
    /// The inputs of calls of all messages.
    fn inputs(&self, recipe: Recipe) -> Vec<Vec<u8>> {
        let messages = self.bundle.messages();
        messages.iter().map(|message| self.bundle.input(message, |_| recipe)).collect()
    }
}

fn call(dest: AccountId, value: Balance, gas_limit: Weight, data: Vec<u8>) -> RuntimeCall {
    RuntimeCall::Contracts(pallet_contracts::Call::call {
        dest: MultiAddress::Id(dest),
        value,
        gas_limit,
        storage_deposit_limit: None,
        data,
    })
}
