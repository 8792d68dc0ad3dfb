//! Direct byte buffers (`java.nio`).

use crate::exceptions::VmResult;
use crate::heap::access::load as load_field;
use crate::heap::alloc;
use crate::heap::layout::Oop;
use crate::interpreter::call::call;
use crate::link::{init, load};
use crate::meta::class::ClassRef;
use crate::meta::loader::boot;
use crate::meta::well_known::{method, Known, KnownField};
use crate::threads::JavaThread;
use crate::{native_fn, sym};
use std::ffi::c_void;

/// The interface that marks direct buffers.
fn direct_buffer(t: &JavaThread) -> VmResult<ClassRef> {
    load::load_or_no_class_def(t, boot(), sym!("sun/nio/ch/DirectBuffer"))
}

native_fn! {
    /// `NewDirectByteBuffer`.
    fn NewDirectByteBuffer(t, address: *mut c_void, capacity: i64) -> Oop {
        let class = Known::DirectByteBuffer.get();
        init::initialize(t, class)?;
        let buffer = alloc::instance(t, class)?;
        let constructor = method(Known::DirectByteBuffer, "<init>", "(JI)V");
        let capacity = capacity as i32 as u32;
        call(t, constructor, &[buffer.address() as u64, address as u64, 0, u64::from(capacity)])?;
        Ok(buffer)
    }

    /// `GetDirectBufferAddress`: null for what is no direct buffer.
    fn GetDirectBufferAddress(t, buffer: *mut c_void) -> *mut c_void {
        let marker = direct_buffer(t)?;
        let buffer = crate::jni::refs::resolve(buffer);
        if buffer.is_null() || !buffer.class().is_subclass_of(marker) {
            return Ok(std::ptr::null_mut());
        }
        Ok(load_field::<i64>(buffer, KnownField::BufferAddress.offset()) as usize as *mut c_void)
    }

    /// `GetDirectBufferCapacity`: -1 for what is no direct buffer.
    fn GetDirectBufferCapacity(t, buffer: *mut c_void) -> i64 {
        let marker = direct_buffer(t)?;
        let buffer = crate::jni::refs::resolve(buffer);
        if buffer.is_null() || !buffer.class().is_subclass_of(marker) {
            return Ok(-1);
        }
        Ok(i64::from(load_field::<i32>(buffer, KnownField::BufferCapacity.offset())))
    }
}
