//! The optimiser is a program in place of the crate `wasm-opt` 0.116.1. When it took that place, it gave
//! the same bytes as the crate for all eleven contracts and for the node's runtime. Here a small module
//! stands for them: another program, version or option gives other bytes.

use sha2::{Digest, Sha256};
use wasm_opt::{Feature, OptimizationOptions, Pass};

/// A contract's shape: imported memory, a loop, sign extension, and much that can be left out.
const MODULE: &str = r#"
(module
  (import "env" "memory" (memory 2 16))
  (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
  (global $unused (mut i32) (i32.const 7))
  (func $sum (param $until i32) (result i32) (local $at i32) (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum)
        (i32.extend8_s (i32.load8_u (i32.mul (local.get $at) (i32.const 4))))))
      (br_if $next (i32.lt_u
        (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $until))))
    (local.get $sum))
  (func $never (result i32) (i32.const 1))
  (func (export "deploy"))
  (func (export "call") (local $copy i32)
    (local.set $copy (call $sum (i32.add (i32.const 3) (i32.const 5))))
    (if (i32.eqz (i32.const 0)) (then (i32.store (i32.const 0) (local.get $copy))))
    (call $return (i32.const 0) (i32.const 0) (i32.const 4)))
  (data (i32.const 64) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00"))
"#;
/// SHA-256 of what comes of it.
const OPTIMISED: &str = "15a9b70e4e9f9150598b94ac2e364078983da3693eb614ac39df44e4829ae9fb";

#[test]
fn the_optimiser_gives_the_known_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (raw, optimised) = (folder.path().join("raw.wasm"), folder.path().join("optimised.wasm"));
    std::fs::write(&raw, wat::parse_str(MODULE).unwrap()).unwrap();

    // As contract-build calls it.
    OptimizationOptions::new_optimize_for_size_aggressively()
        .mvp_features_only()
        .enable_feature(Feature::SignExt)
        .add_pass(Pass::SignextLowering)
        .zero_filled_memory(true)
        .debug_info(false)
        .run(&raw, &optimised)
        .unwrap();

    let code = std::fs::read(optimised).unwrap();
    assert_eq!(hex::encode(Sha256::digest(&code)), OPTIMISED, "{} bytes", code.len());
}
