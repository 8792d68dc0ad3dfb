import java.io.IOException;
import java.lang.module.Configuration;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.lang.ref.WeakReference;

/** A module that reads, and exports to, a module of another loader, which goes away. */
public class Lists {
    static ModuleFinder finder(ModuleDescriptor d) {
        ModuleReference r = new ModuleReference(d, URI.create("module:/" + d.name())) {
            public ModuleReader open() throws IOException {
                throw new IOException("nothing in it");
            }
        };
        return new ModuleFinder() {
            public Optional<ModuleReference> find(String name) {
                return name.equals(d.name()) ? Optional.of(r) : Optional.empty();
            }

            public Set<ModuleReference> findAll() {
                return Set.of(r);
            }
        };
    }

    static ModuleLayer.Controller layer(ModuleDescriptor d) {
        Configuration c = Configuration.resolve(
            finder(d), List.of(ModuleLayer.boot().configuration()), ModuleFinder.of(), Set.of(d.name()));
        return ModuleLayer.defineModulesWithOneLoader(c, List.of(ModuleLayer.boot()), null);
    }

    static WeakReference<ModuleLayer> meet(ModuleLayer.Controller stays) {
        ModuleLayer goes = layer(ModuleDescriptor.newModule("goes").packages(Set.of("q")).build()).layer();
        Module m = stays.layer().findModule("stays").get(), other = goes.findModule("goes").get();
        stays.addReads(m, other);
        stays.addExports(m, "p", other);
        return new WeakReference<>(goes);
    }

    public static void main(String[] args) throws Exception {
        ModuleLayer.Controller stays = layer(ModuleDescriptor.newModule("stays").packages(Set.of("p")).build());
        WeakReference<ModuleLayer> goes = meet(stays);
        for (int i = 0; i < 50 && goes.get() != null; i++) {
            System.gc();
            Thread.sleep(10);
        }
        System.gc();
        System.out.println("gone: " + (goes.get() == null) + ", " + stays.layer().findModule("stays").get());
    }
}
