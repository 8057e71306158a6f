//! The log of what listeners did: whatever is read comes to the same when it is compacted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moodbox_core::music::Memory;

fuzz_target!(|log: &[u8]| {
    let (memory, _) = Memory::read(log);
    let (again, damaged) = Memory::read(memory.compacted().as_bytes());
    assert_eq!(damaged, 0);
    assert_eq!(again.len(), memory.len());
    for uri in memory.uris() {
        assert_eq!(again.standing(uri), memory.standing(uri));
    }
});
