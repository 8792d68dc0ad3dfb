//! `VM.classloader_stats`.

use super::{Command, MONITOR};
use crate::heap::access::load_ref;
use crate::heap::layout::Oop;
use crate::meta::loader::{self, Loader, LoaderRef};
use crate::meta::well_known::KnownField;
use crate::threads::safepoint;
use std::fmt::Write as _;

pub(super) static STATISTICS: Command = Command {
    name: "VM.classloader_stats",
    description: "Print statistics about all ClassLoaders.",
    impact: "Low",
    permission: MONITOR,
    arguments: &[],
    in_mbean: true,
    run: |t, _, out| {
        *out += &safepoint::stop_the_world(t, "ClassLoaderStatsOperation", |_| statistics());
        Ok(())
    },
};

/// Classes and bytes of metadata.
#[derive(Clone, Copy, Default)]
struct Sums {
    classes: usize,
    chunks: usize,
    blocks: usize,
}

impl Sums {
    fn add(&mut self, l: &Loader) {
        self.classes += l.defined.lock().len();
        let (chunks, blocks) = l.arena.sizes();
        self.chunks += chunks;
        self.blocks += blocks;
    }

    fn text(self) -> String {
        format!("{:6}  {:8}  {:8}", self.classes, self.chunks, self.blocks)
    }
}

/// Whether this stands for one hidden class of its loader.
fn of_hidden_class(l: LoaderRef) -> bool {
    l.object.get().is_null() && l.unloadable
}

/// The loader object's class, 0 for the boot loader.
fn class_of(loader: Oop) -> usize {
    loader.non_null().map_or(0, |o| o.class() as *const _ as usize)
}

/// In a pause.
fn statistics() -> String {
    let all = loader::all();
    let mut out = String::from(
        "ClassLoader         Parent              CLD*               Classes   ChunkSz   BlockSz  Type\n",
    );
    let mut total = Sums::default();
    all.iter().for_each(|l| total.add(l));
    let ordinary: Vec<LoaderRef> = all.iter().copied().filter(|l| !of_hidden_class(l)).collect();
    for &l in &ordinary {
        let object = l.object.get();
        let parent = object.non_null().map_or(Oop::NULL, |o| load_ref(o, KnownField::LoaderParent.offset()));
        let mut sums = Sums::default();
        sums.add(l);
        let name = object.non_null().map_or("<boot class loader>".to_string(), |o| o.class().external_name());
        let _ = writeln!(
            out,
            "{:#018x}  {:#018x}  {:#018x}  {}  {name}",
            class_of(object),
            class_of(parent),
            l as *const Loader as usize,
            sums.text()
        );
        let mut hidden = Sums::default();
        // A hidden class's own entry belongs to the loader that its class has.
        let is_of = |h: &&LoaderRef| {
            of_hidden_class(h) && h.defined.lock().first().is_some_and(|c| std::ptr::eq(c.loader, l))
        };
        all.iter().filter(is_of).for_each(|h| hidden.add(h));
        if hidden.classes > 0 {
            let _ = writeln!(out, "{:60}{}   + hidden classes", "", hidden.text());
        }
    }
    let _ = writeln!(out, "Total = {:<6}{:46}{}  ", ordinary.len(), "", total.text());
    out += "ChunkSz: Total size of all allocated metaspace chunks\n";
    out + "BlockSz: Total size of all allocated metaspace blocks (each chunk has several blocks)\n"
}
