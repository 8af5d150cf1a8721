//! Traps on demand, for the tests of what comes after one: an argument that is one of these texts is
//! where the WebAssembly stops.

/// Traps, if that is what the text says.
pub(super) fn if_told_to(text: Option<&str>) {
    match text {
        Some("trap: unreachable") => core::arch::wasm32::unreachable(),
        Some("trap: stack") => {
            dive(0);
        }
        _ => {}
    }
}

/// Calls itself until there is no stack left.
#[expect(unconditional_recursion, reason = "that is what it is for")]
#[inline(never)]
fn dive(depth: u64) -> u64 {
    let frame = core::hint::black_box([depth; 64]);
    dive(depth.wrapping_add(1)).wrapping_add(frame.iter().sum())
}
