//! Unloading classes, as far as compiled code is concerned: code that names one is given up, and what else the code of
//! others has seen of it is forgotten. All in the collector's pause that has found the classes dead.
//!
//! A frame in such code stands where it names none of them (the collector keeps what a debug point on a stack names,
//! see [`DebugPoint::metadata`]), and goes on in the interpreter: it does not come to where it would.

use super::assembled::{DebugPoint, Where};
use super::compiled::{self, Compilation, CompiledMethod};
use super::dependencies;
use crate::compiler::broker;
use crate::deopt::lazy;
use crate::log;
use crate::meta::class::Class;
use crate::meta::loader::{Loader, LoaderRef};
use crate::meta::method::Method;
use crate::threads::JavaThread;
use std::collections::HashSet;

/// Gives up the code of methods that are dead and code that names what is, and forgets what is dead in inline caches,
/// recorded assumptions and compile queues. `dead` tells by the address of a class, a method or a root slot.
///
/// # Safety
/// In a pause in which nothing is being compiled. `threads` are all there are, and no frame of theirs is in the code of
/// a dead method.
pub(crate) unsafe fn unload(threads: &[&'static JavaThread], dead: &dyn Fn(usize) -> bool) {
    let broker = broker::get();
    if let Some(b) = broker {
        b.drop_tasks(|m| dead(m as *const Method as usize));
    }
    let of_dead = |c: &CompiledMethod| dead(c.method as *const Method as usize);
    let lost = compiled::retire_all(|c| of_dead(c) || c.mentions().iter().any(|&a| dead(a as usize)));
    dependencies::purge(dead, &lost);
    if !lost.is_empty() {
        for c in &lost {
            log!(Debug, [class, unload], "unloading code of compile id={} {}", c.id, c.method.name_and_signature());
        }
        let invalid: HashSet<usize> = lost.iter().map(|c| c.entry).collect();
        let mut active = HashSet::new();
        for t in threads {
            lazy::mark_thread(t, &invalid, &mut active);
        }
        compiled::free_unused(&active);
        for c in lost.iter().filter(|c| of_dead(c)) {
            assert!(!active.contains(&c.entry), "the collector has kept no method that a frame is in: {c:?}");
        }
        if let Some(b) = broker {
            b.code_freed();
        }
    }
    for c in compiled::all() {
        c.inline_caches().for_each(|cache| cache.purge(dead));
    }
}

impl DebugPoint {
    /// Calls `f` with the address of each method, class and root slot that leaving the code here needs.
    pub fn metadata(&self, mut f: impl FnMut(usize)) {
        let value = |w: &Where, f: &mut dyn FnMut(usize)| match *w {
            Where::Object(slot) => f(slot as usize),
            Where::Mirror(class) => f(class as *const Class as usize),
            Where::Dead | Where::Int(..) | Where::Float(..) | Where::Frame(..) | Where::Const(..) | Where::Virtual(_) => {}
        };
        for x in &self.frames {
            f(x.method as *const Method as usize);
            let monitors = x.monitors.iter().map(|(w, _)| w);
            x.locals.iter().chain(&x.stack).chain(monitors).for_each(|w| value(w, &mut f));
        }
        for v in &self.virtuals {
            f(v.class as *const Class as usize);
            v.fields.iter().for_each(|(_, _, w)| value(w, &mut f));
        }
    }
}

/// See [`compiled::CompiledMethod::mentions`].
pub(super) fn mentions(c: &Compilation) -> Box<[u32]> {
    let mut loaders: Vec<LoaderRef> = vec![c.method.class().kept_by];
    let mut found: Vec<u32> = Vec::new();
    let mut note = |address: usize| {
        let Some(l) = Loader::owning(address) else { return };
        if !loaders.iter().any(|x| std::ptr::eq(*x, l)) {
            loaders.push(l);
            found.push(address as u32);
        }
    };
    c.names.iter().for_each(|&a| note(a as usize));
    c.assembled.points.iter().for_each(|p| p.metadata(&mut note));
    c.assembled.cache_sites.iter().for_each(|s| note(s.method as *const Method as usize));
    c.dependencies.iter().for_each(|d| d.metadata(&mut note));
    found.into()
}
