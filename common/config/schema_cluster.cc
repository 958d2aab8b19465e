#include "common/config/codecs.h"
#include "common/config/schema.h"

namespace capstan {

std::shared_ptr<const SectionSpec> cluster_schema() {
  const auto count = integer<std::uint32_t>;
  const auto milliseconds = [](Range range) { return duration(std::chrono::milliseconds(1), range); };
  constexpr double kDay = 86400;
  const auto security = word<Security>({
      {"none", Security::kNone, "not at all; only processes of this host are reached"},
      {"curve", Security::kCurve, "CurveZMQ: every link is encrypted, and only listed keys take part"},
  });
  return SectionBuilder<ClusterConfig>()
      .key("scheduler", &ClusterConfig::scheduler, text(),
           "Where the scheduler listens, `tcp://host:port`; port 0 picks a free one. Of several schedulers "
           "each "
           "has a `--bind` of its own.")
      .key("bind_host", &ClusterConfig::bind_host, text(), "The address that servers listen at.")
      .key("hosts", &ClusterConfig::hosts, list(text()),
           "The hosts of `capstan launch`, each as a line of its hosts file: `ADDRESS [scheduler] "
           "[servers=N] [workers=N] [zone=NAME] [ssh=USER@HOST] [port=N]`.")
      .key("servers", &ClusterConfig::servers, count(between(1, 4096)), "Parameter-server processes.")
      .key("workers", &ClusterConfig::workers, count(between(0, 4096)),
           "Worker processes; none with `task: direct`.")
      .key(
          "num_shards", &ClusterConfig::num_shards, count(between(1, 65536)),
          "Slices of all tables, fixed for the job's life: a power of two, at least as many as servers. From "
          "16 times the most servers ever on they balance well; with fewer the job warns.")
      .key("replicas", &ClusterConfig::replicas, count(between(1, 8)), "Copies of each shard.")
      .key("balance_load", &ClusterConfig::balance_load, boolean(),
           "Servers share the shards that are asked for most, as well as memory; else memory alone.")
      .key("threads", &ClusterConfig::threads, count(between(0, 1024)), "Threads of a process.")
      .default_note("0: the cores shared by the processes of a host")
      .key("memory_limit", &ClusterConfig::memory_limit, bytes(),
           "Memory for the rows of one server, however it was started; its own `--memory-limit` may be less.")
      .default_note("0: 70 % of the machine's, shared by its servers")
      .key("lease", &ClusterConfig::lease_ms, milliseconds(between(0.1, kDay)),
           "A node not heard of for this long is taken for dead.")
      .key("scheduler_grace", &ClusterConfig::scheduler_grace_ms, milliseconds(between(0, kDay)),
           "How long servers go on without a scheduler.")
      .key("catch_up_rate", &ClusterConfig::catch_up_rate, bytes(),
           "How many bytes a second a server sends to all that get shards' rows from it; 0: as fast as it "
           "goes.")
      .key("startup_timeout", &ClusterConfig::startup_timeout_ms, milliseconds(between(0.1, kDay)),
           "The job fails when its nodes are not there by then.")
      .key("max_frame_bytes", &ClusterConfig::max_frame_bytes, bytes(between(65536, 2147483648.0)),
           "A larger message is refused.")
      .key("security", &ClusterConfig::security, security, "How nodes know each other.")
      .key("keys", &ClusterConfig::keys, text(),
           "For `curve`: the folder of keys; `capstan run` makes them when there are none.")
      .default_note("`work_dir`/keys")
      .key("insecure", &ClusterConfig::insecure, boolean(),
           "With `none`: listen beyond this host all the same, and trust whoever reaches it.")
      .build();
}

std::shared_ptr<const SectionSpec> scheduler_schema() {
  const auto store = word<SchedulerStore>({
      {"file", SchedulerStore::kFile, "one file in `work_dir`, for one scheduler"},
      {"etcd", SchedulerStore::kEtcd, "keys in etcd, which also decides which of several schedulers leads"},
  });
  return SectionBuilder<SchedulerConfig>()
      .key("store", &SchedulerConfig::store, store, "Where the scheduler keeps its journal.")
      .key("endpoints", &SchedulerConfig::endpoints, list(text()),
           "For `etcd`: `http://host:port` of its members; they are tried in turn.")
      .key("lease", &SchedulerConfig::lease_seconds, duration(std::chrono::seconds(1), between(2, 60)),
           "For `etcd`, in whole seconds: a leader that etcd has not heard for so long is replaced. At least "
           "one and a half times `cluster.lease`.")
      .build();
}

}  // namespace capstan
