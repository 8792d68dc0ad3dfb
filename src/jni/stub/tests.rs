//! Runs the stubs of the host; checks instructions of the AArch64 ones on any.

use super::*;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod run {
    use super::*;
    use crate::threads::thread::ThreadState;
    use std::cell::Cell;

    /// Stands for the thread: what a stub touches, behind the environment.
    #[repr(C)]
    struct Fake {
        env: u64,
        poll: Cell<u32>,
        state: Cell<u8>,
        saved_sp: Cell<u64>,
        slow_calls: Cell<u32>,
    }

    extern "C" fn slow(t: *const Fake) {
        // SAFETY: the stub passes the thread it was given.
        let t = unsafe { &*t };
        t.slow_calls.set(t.slow_calls.get() + 1);
        assert_eq!(t.state.get(), ThreadState::InVm as u8);
        assert_ne!(t.saved_sp.get(), 7);
    }

    fn protocol() -> Protocol {
        use std::mem::offset_of;
        Protocol {
            state: offset_of!(Fake, state) as i32,
            poll: offset_of!(Fake, poll) as i32,
            saved_sp: offset_of!(Fake, saved_sp) as i32,
            thread: 0,
            slow: slow as *const () as usize,
        }
    }

    fn fake(poll: u32) -> Fake {
        Fake {
            env: 0,
            poll: Cell::new(poll),
            state: Cell::new(ThreadState::InVm as u8),
            saved_sp: Cell::new(7),
            slow_calls: Cell::new(0),
        }
    }

    /// Calls `function` through a stub; `poll` is what the stub finds on return.
    fn call(is_static: bool, descriptor: &str, args: &[u64], function: usize, poll: u32) -> u64 {
        let (parameters, result) = crate::meta::method::parse_types(descriptor.as_bytes());
        let shape = Shape {
            is_static,
            parameters: parameters.iter().map(|&p| letter(p)).collect(),
            result: letter(result),
        };
        let entry = arena::publish(&assemble(&shape, &protocol()));
        // SAFETY: made with this signature.
        let entry: StubFn = unsafe { std::mem::transmute(entry) };
        let thread = fake(poll);
        let env = &thread as *const Fake as *mut c_void;
        // SAFETY: the function has the C signature that `descriptor` says.
        let result = unsafe { entry(args.as_ptr(), env, 0x1230 as *mut c_void, function) };
        assert_eq!(thread.state.get(), ThreadState::InVm as u8);
        assert_eq!(thread.saved_sp.get(), 7, "the previous stack pointer is back");
        assert_eq!(thread.slow_calls.get(), u32::from(poll != 0));
        result
    }

    #[allow(clippy::too_many_arguments)]
    extern "C" fn many(
        env: *mut Fake,
        class: usize,
        i: i32,
        j: i64,
        f: f32,
        d: f64,
        z: u8,
        b: i8,
        c: u16,
        s: i16,
        l: *const u64,
        null: *const u64,
        j2: i64,
    ) -> i64 {
        assert_eq!(class, 0x1230);
        // SAFETY: the environment the caller made, and a handle to an argument slot.
        unsafe {
            assert_eq!((*env).state.get(), ThreadState::InNative as u8);
            assert_eq!((*env).saved_sp.get() % 16, 0);
            assert_eq!(*l, 0xabc0);
        }
        assert_eq!((i, j, f, d), (-1, 1 << 40, 1.5, -2.25));
        assert_eq!((z, b, c, s), (1, -7, 0xffee, -300));
        assert!(null.is_null());
        j2
    }

    #[test]
    fn arguments_in_registers_and_on_the_stack() {
        let dead = 0xdead_dead_dead_dead;
        let args = [
            -1i32 as u32 as u64,
            1 << 40,
            dead,
            1.5f32.to_bits() as u64,
            (-2.25f64).to_bits(),
            dead,
            1,
            -7i32 as u32 as u64,
            0xffee,
            -300i32 as u32 as u64,
            0xabc0,
            0,
            -5i64 as u64,
            dead,
        ];
        let descriptor = "(IJFDZBCSLjava/lang/String;[IJ)J";
        for poll in [0, 1] {
            assert_eq!(call(true, descriptor, &args, many as *const () as usize, poll), -5i64 as u64);
        }
    }

    #[allow(clippy::too_many_arguments)]
    extern "C" fn floats(
        _env: *mut Fake,
        this: *const u64,
        d1: f64,
        f2: f32,
        d3: f64,
        d4: f64,
        d5: f64,
        d6: f64,
        d7: f64,
        d8: f64,
        d9: f64,
        f10: f32,
    ) -> f64 {
        // SAFETY: the receiver's slot.
        assert_eq!(unsafe { *this }, 0x77);
        d1 + f64::from(f2) * 10.0 + d3 + d4 + d5 + d6 + d7 + d8 + d9 * 100.0 + f64::from(f10) * 1000.0
    }

    #[test]
    fn floats_beyond_the_registers() {
        let mut args = vec![0x77u64];
        for (i, c) in "DFDDDDDDDF".bytes().enumerate() {
            let v = (i + 1) as f64;
            args.push(if c == b'F' { (v as f32).to_bits() as u64 } else { v.to_bits() });
            if c == b'D' {
                args.push(0);
            }
        }
        let sum = call(false, "(DFDDDDDDDF)D", &args, floats as *const () as usize, 0);
        assert_eq!(f64::from_bits(sum), 1.0 + 20.0 + 3.0 + 4.0 + 5.0 + 6.0 + 7.0 + 8.0 + 900.0 + 10000.0);
    }

    extern "C" fn dirty() -> u64 {
        0xffff_ffff_1234_ff80
    }
    extern "C" fn float() -> f32 {
        -0.5
    }

    #[test]
    fn results_are_normalised() {
        let result = |descriptor| call(true, descriptor, &[], dirty as *const () as usize, 0);
        assert_eq!(result("()V"), 0);
        assert_eq!(result("()Z"), 1);
        assert_eq!(result("()B"), 0xffff_ff80);
        assert_eq!(result("()C"), 0xff80);
        assert_eq!(result("()S"), 0xffff_ff80);
        assert_eq!(result("()I"), 0x1234_ff80);
        assert_eq!(result("()J"), 0xffff_ffff_1234_ff80);
        assert_eq!(result("()Ljava/lang/Object;"), 0xffff_ffff_1234_ff80);
        let f = call(true, "()F", &[], float as *const () as usize, 0);
        assert_eq!(f, u64::from((-0.5f32).to_bits()));
    }
}

#[test]
fn slots_of_shapes() {
    let shape = Shape { is_static: false, parameters: b"JIDL".to_vec(), result: b'V' };
    let slots: Vec<_> = shape.slots().collect();
    assert_eq!(slots, [(b'L', 0), (b'J', 1), (b'I', 3), (b'D', 4), (b'L', 6)]);
}

#[test]
fn arm64_stubs_assemble() {
    let vm = Protocol { state: -100, poll: -104, saved_sp: 80, thread: -160, slow: 0x1234_5678_9abc_def0 };
    let words = |shape: &Shape| -> Vec<u32> {
        let code = arm64::assemble(shape, &vm);
        code.chunks_exact(4).map(|c| u32::from_le_bytes(c.try_into().expect("four bytes"))).collect()
    };
    // ldr w2, [x19]; ldr x3, [x19, #8]; ldr s0, [x19, #24]; mov x1, x21; blr x22; ret.
    let code = words(&Shape { is_static: true, parameters: b"IJF".to_vec(), result: b'I' });
    for insn in [0xb940_0262, 0xf940_0663, 0xbd40_1a60, 0xaa15_03e1, 0xd63f_02c0, 0xd65f_03c0] {
        assert!(code.contains(&insn), "{insn:#x} in {code:x?}");
    }
    // The ninth integer argument goes to the stack: sub sp, sp, #16.
    let many = words(&Shape { is_static: false, parameters: b"JJJJJJJ".to_vec(), result: b'V' });
    assert!(many.contains(&0xd100_43ff), "{many:x?}");
    let few = words(&Shape { is_static: false, parameters: b"JJJJJJ".to_vec(), result: b'V' });
    assert!(!few.contains(&0xd100_43ff));
}
