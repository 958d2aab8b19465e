#include "common/config/job_checks.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/config/names.h"
#include "common/endpoint_check.h"
#include "common/object_path.h"
#include "common/optimizer_check.h"
#include "common/plain_name.h"
#include "common/text.h"
#include "common/units.h"

namespace capstan {
namespace {

void check_model(const JobConfig& job, ReadContext& context) {
  const ModelConfig& model = job.model;
  const auto among = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), model.type) != names.end();
  };
  demand(!model.type.empty(), context, "model.type", {}, "model.type must say which model is trained");
  demand(!among({"mf", "neumf"}) || job.task != Task::kCtr, context, "model.type", {"task"},
         fmt::format("model {} needs users and items: `task: ranking` or `task: rating`", model.type));
  demand(!among({"ials", "sequence"}) || job.task == Task::kRanking, context, "model.type", {"task"},
         fmt::format("model {} needs `task: ranking`", model.type));
  demand(model.type != "sequence" || (model.heads > 0 && model.embedding_dim % model.heads == 0), context,
         "model.heads", {"model.type", "model.embedding_dim"},
         fmt::format("model sequence cuts its vectors into `heads` equal parts: {} is no multiple of {}",
                     model.embedding_dim, model.heads));
  demand(model.type != "sequence" || model.activation != Activation::kPrelu, context, "model.activation",
         {"model.type"}, "model sequence has no slopes to learn: activation prelu");
  demand(model.type != "sequence" || model.encoder != SequenceEncoder::kCaser ||
             model.filters + model.vertical_filters > 0,
         context, "model.filters", {"model.type", "model.encoder"},
         "encoder caser needs filters or vertical_filters");
  demand(!among({"wide_deep", "deepfm", "mlp", "dcn_v2", "dlrm", "finalmlp"}) || !model.hidden.empty(),
         context, "model.hidden", {"model.type"},
         fmt::format("model {} needs at least one hidden layer", model.type));
  demand(model.type != "neumf" || model.use_gmf || model.use_mlp, context, "model.use_gmf", {"model.type"},
         "neumf needs use_gmf or use_mlp");
  demand(model.type != "neumf" || !model.use_mlp || !model.hidden.empty(), context, "model.hidden",
         {"model.type"}, "neumf with use_mlp needs at least one hidden layer");
  for (const auto* widths : {&model.hidden, &model.hidden2}) {
    demand(
        model.type != "finalmlp" || model.heads == 0 || widths->empty() || widths->back() % model.heads == 0,
        context, "model.heads", {"model.hidden", "model.hidden2", "model.type"},
        fmt::format("finalmlp cuts the last layer of each stream into `heads` equal parts: {} is no multiple "
                    "of {}",
                    widths->empty() ? 0 : widths->back(), model.heads));
  }
}

void check_loss(const JobConfig& job, ReadContext& context) {
  const ModelConfig& model = job.model;
  const bool pairwise = model.loss == LossKind::kBpr || takes_in_batch(model.loss);
  const bool ranking = job.task == Task::kRanking;
  demand(!pairwise || ranking, context, "model.loss", {"task"}, "this loss needs `task: ranking`");
  demand(model.loss != LossKind::kMse || !ranking, context, "model.loss", {"task"},
         "a ranking job has no numbers to fit: loss bce, bpr or sampled_softmax");
  demand(model.loss != LossKind::kBce || job.task != Task::kRating, context, "model.loss", {"task"},
         "a rating job fits numbers: loss mse");
  const NegativeConfig& negatives = job.data.negatives;
  demand(!ranking || model.type == "ials" || negatives.per_positive > 0 ||
             negatives.sampler == Sampler::kInBatch,
         context, "data.negatives.per_positive",
         {"model.type", "model.loss", "task", "data.negatives.sampler"},
         "ranking with this model needs data.negatives.per_positive of at least 1");
  const bool in_batch = ranking && negatives.sampler == Sampler::kInBatch;
  demand(!in_batch || takes_in_batch(model.loss), context, "data.negatives.sampler", {"model.loss", "task"},
         "`sampler: in_batch` needs `loss: sampled_softmax` or `ultragcn`");
  demand(in_batch || !ranking || !needs_in_batch(model.loss), context, "model.loss",
         {"data.negatives.sampler"}, "loss ultragcn needs `data.negatives: {sampler: in_batch}`");
  const bool sequences = model.type == "sequence";
  demand(!in_batch || model.type == "mf" || sequences, context, "data.negatives.sampler",
         {"model.type", "task"}, "`sampler: in_batch` needs model mf or sequence");
  constexpr std::uint32_t kLargestPool = 16384;
  const std::uint32_t largest = kLargestPool / (sequences ? std::min(model.max_length, kLargestPool) : 1);
  demand(!in_batch || job.train.batch_size <= largest, context, "train.batch_size",
         {"data.negatives.sampler", "model.max_length", "task"},
         fmt::format("`sampler: in_batch` compares every pair of a batch: train.batch_size at most {}{}",
                     largest, sequences ? ", each a sequence of up to model.max_length events" : ""));
}

// The job must be able to run on those splits too.
void check_beside(const JobConfig& job, ReadContext& context) {
  const DataConfig& data = job.data;
  const std::string path = "evaluate.beside";
  if (job.evaluate.beside.empty()) return;
  demand(job.task == Task::kRanking, context, path, {"task"}, "evaluate.beside needs `task: ranking`");
  demand(data.test.empty() && data.valid.empty() && data.test_candidates.empty(), context, path,
         {"data.test", "data.valid"},
         "evaluate.beside splits data.train: no data.test, data.valid or candidates");
  demand(!data.time.empty(), context, path, {"data.time"}, "evaluate.beside needs data.time");
  for (std::size_t i = 0; i < job.evaluate.beside.size(); ++i) {
    const std::string& name = job.evaluate.beside[i];
    const std::string here = fmt::format("{}[{}]", path, i);
    demand(data.format != DataFormat::kItemLists || beside_method(name) != SplitMethod::kGlobalTime, context,
           here, {path, "data.format"},
           "item_lists has an order within each line, and no time that two users share");
    demand(data.split.method != beside_method(name), context, here, {path, "data.split.method"},
           fmt::format("{} is the job's own split", name));
    demand(std::find(job.evaluate.beside.begin(), job.evaluate.beside.end(), name) ==
               job.evaluate.beside.begin() + static_cast<std::ptrdiff_t>(i),
           context, here, {path}, fmt::format("{} stands there twice", name));
  }
}

void check_evaluate(const JobConfig& job, ReadContext& context) {
  const EvaluateConfig& evaluate = job.evaluate;
  const bool ranking = job.task == Task::kRanking;
  for (std::size_t i = 0; i < evaluate.metrics.size(); ++i) {
    demand(metric_fits(metric_base(evaluate.metrics[i]), job.task), context,
           fmt::format("evaluate.metrics[{}]", i), {"task"},
           fmt::format("metric {} does not fit `task: {}`", evaluate.metrics[i], to_word(job.task)));
    demand(evaluate.metrics[i] != "gauc" || !job.data.user.empty(), context,
           fmt::format("evaluate.metrics[{}]", i), {"data.user"}, "metric gauc needs data.user");
  }
  demand(evaluate.baselines.empty() || ranking, context, "evaluate.baselines", {"task"},
         "baselines need `task: ranking`");
  demand(!ranking || !evaluate.at.empty(), context, "evaluate.at", {"task"},
         "evaluate.at needs a length, such as 10");
  demand(evaluate.sampled_negatives == 0 || job.data.test_candidates.empty(), context,
         "evaluate.sampled_negatives", {},
         "data.test_candidates already says what is ranked: give one of them");
  check_beside(job, context);
  demand(evaluate.sampled_negatives == 0 || ranking, context, "evaluate.sampled_negatives", {"task"},
         "sampled_negatives need `task: ranking`");
}

void check_early_stop(const JobConfig& job, ReadContext& context) {
  const TrainConfig& train = job.train;
  check_watched(job, "train.early_stop_metric", train.early_stop_metric, context);
  const SplitConfig& split = job.data.split;
  const bool validates = !job.data.valid.empty() || (split.valid > 0 && split.method != SplitMethod::kNone);
  demand(train.early_stop_patience == 0 || validates, context, "train.early_stop_patience",
         {"data.split", "data.valid"}, "early stopping needs a validation split: data.split.valid above 0");
  demand(train.early_stop_patience == 0 || !train.include_valid, context, "train.include_valid", {},
         "early stopping needs a validation part that is not trained on");
}

}  // namespace

bool takes_in_batch(LossKind loss) {
  return loss == LossKind::kSampledSoftmax || needs_in_batch(loss);
}

bool needs_in_batch(LossKind loss) {
  return loss == LossKind::kUltraGcn;
}

void check_watched(const JobConfig& job, const std::string& path, const std::string& watched,
                   ReadContext& context) {
  const std::string base = metric_base(watched);
  if (base.empty()) return;
  std::vector<std::string> names;
  for (const WordSpec& word : metric_words()) {
    if (metric_fits(word.word, job.task) && may_stop(word.word)) names.push_back(word.word);
  }
  const bool watchable = std::find(names.begin(), names.end(), base) != names.end();
  demand(watchable, context, path, {"task"},
         fmt::format("{} cannot be '{}' with `task: {}`{}", path, base, to_word(job.task),
                     suggestion(base, names)));
  // Of what is computed at all.
  const auto at = watched.find('@');
  const std::string cut = at == std::string::npos ? "" : watched.substr(at + 1);
  const std::vector<std::string>& metrics = job.evaluate.metrics;
  const bool cut_there = cut.empty() || std::find(metrics.begin(), metrics.end(), watched) != metrics.end() ||
                         std::any_of(job.evaluate.at.begin(), job.evaluate.at.end(),
                                     [&](std::uint32_t k) { return cut == std::to_string(k); });
  const bool computed =
      metrics.empty() || std::any_of(metrics.begin(), metrics.end(), [&](const auto& metric) {
        return metric == watched || metric_base(metric) == base;
      });
  demand(!watchable || (cut_there && computed), context, path, {"evaluate.metrics", "evaluate.at"},
         fmt::format("{} {} is not among what is computed: see evaluate.metrics and evaluate.at", path,
                     watched));
}

void demand(bool holds, ReadContext& context, const std::string& path,
            const std::vector<std::string>& follows_from, const std::string& message) {
  if (holds || context.failed(path)) return;
  if (std::any_of(follows_from.begin(), follows_from.end(), [&](const auto& p) { return context.failed(p); }))
    return;
  context.fail_at(path, message);
}

// Programs train it, by their own data and models.
void check_direct(const JobConfig& job, ReadContext& context) {
  constexpr const char* kNone = "`task: direct` has none: programs compute by themselves";
  demand(job.data.train.empty(), context, "data.train", {"task"}, kNone);
  demand(job.features.empty(), context, "features", {"task"}, kNone);
  demand(job.model.type.empty(), context, "model.type", {"task"}, kNone);
  demand(job.cluster.workers == 0, context, "cluster.workers", {"task"}, kNone);
  demand(job.train.consistency == Consistency::kAsync, context, "train.consistency", {"task"},
         "`task: direct` has no steps: `consistency: async`");
  demand(job.tables.size() > job.tables.count("default"), context, "tables", {"task"},
         "`task: direct` needs its tables: `tables: {NAME: {dim: 16}}`");
  for (const auto& [name, table] : job.tables) {
    demand(!is_layer_table(name), context, "tables." + name, {},
           fmt::format("'{}' is what models call a layer: give the table another name", name));
  }
}

void check_training(const JobConfig& job, ReadContext& context) {
  check_model(job, context);
  check_loss(job, context);
  check_evaluate(job, context);
  check_early_stop(job, context);
  demand(job.cluster.workers > 0, context, "cluster.workers", {}, "a job needs at least one worker");
  const TrainConfig& train = job.train;
  const bool bounded = train.consistency == Consistency::kBounded;
  demand(!bounded || train.staleness > 0, context, "train.staleness", {"train.consistency"},
         "`consistency: bounded` needs train.staleness of at least 1");
  demand(bounded || train.staleness == 0, context, "train.staleness", {"train.consistency"},
         "train.staleness needs `consistency: bounded`");
  demand(!train.pull_copies || bounded, context, "train.pull_copies", {"train.consistency"},
         "train.pull_copies needs `consistency: bounded`: how stale a copy may be is declared there alone");
  demand(!train.pull_copies || job.cluster.replicas > 1, context, "train.pull_copies", {"cluster.replicas"},
         "train.pull_copies needs cluster.replicas of at least 2: there are no copies");
  demand(job.model.type != "ials" || train.consistency != Consistency::kSync, context, "train.consistency",
         {"model.type"}, "model ials makes no gradient steps to average: use `consistency: async`");
}

void check_storage(const JobConfig& job, ReadContext& context) {
  const CheckpointConfig& checkpoint = job.checkpoint;
  demand(!checkpoint.path.empty() || (checkpoint.every_steps == 0 && checkpoint.every_seconds == 0), context,
         "checkpoint.path", {}, "checkpoints need checkpoint.path");
  demand(!is_object_path(job.work_dir) && !is_encrypted_path(job.work_dir), context, "work_dir", {},
         "work_dir is a plain folder: the journal is appended to, which neither an object store nor an "
         "encrypted file can");
  const Status path = check_storage_path(checkpoint.path);
  demand(path.ok(), context, "checkpoint.path", {}, path.ok() ? "" : path.error().message);
}

// What the servers would refuse.
void check_tables(const JobConfig& job, ReadContext& context) {
  const auto check_optimizer = [&](const OptimizerSpec& spec, const std::string& path) {
    const Status status = check_optimizer_spec(spec);
    demand(status.ok(), context, path, {path + ".type", path + ".l2_mode", path + ".schedule"},
           status.ok() ? "" : status.error().message);
  };
  check_optimizer(job.sparse_optimizer, "optimizer.sparse");
  check_optimizer(job.dense_optimizer, "optimizer.dense");
  for (const auto& [name, table] : job.tables) {
    const std::string path = "tables." + name;
    if (table.optimizer) check_optimizer(*table.optimizer, path + ".optimizer");
    const std::uint64_t rows = table.max_rows.value_or(0);
    demand(rows == 0 || rows >= job.cluster.num_shards, context, path + ".max_rows", {"cluster.num_shards"},
           fmt::format("max_rows is at least cluster.num_shards, {}: each shard holds a part of them",
                       job.cluster.num_shards));
    const bool limited = table.min_count.value_or(0) > 1 || table.ttl_seconds.value_or(0) > 0 || rows > 0;
    demand(!limited || !is_layer_table(name), context, path, {},
           fmt::format("min_count, ttl and max_rows are for sparse tables, and {} is a layer", name));
  }
}

void check_cluster(const JobConfig& job, ReadContext& context) {
  const ClusterConfig& cluster = job.cluster;
  const std::uint32_t shards = cluster.num_shards;
  demand((shards & (shards - 1)) == 0, context, "cluster.num_shards", {},
         fmt::format("cluster.num_shards must be a power of two, not {}", shards));
  demand(shards >= cluster.servers, context, "cluster.num_shards", {"cluster.servers"},
         fmt::format("cluster.num_shards must be at least {} for {} servers, or some would lead nothing",
                     cluster.servers, cluster.servers));
  demand(cluster.replicas <= cluster.servers, context, "cluster.replicas", {"cluster.servers"},
         fmt::format("{} replicas need as many servers, not {}", cluster.replicas, cluster.servers));
  const Status endpoint = check_endpoint(cluster.scheduler, true);
  demand(endpoint.ok(), context, "cluster.scheduler", {},
         endpoint.ok() ? "" : "cluster.scheduler " + endpoint.error().message);
}

void check_scheduler(const JobConfig& job, ReadContext& context) {
  const SchedulerConfig& scheduler = job.scheduler;
  const bool etcd = scheduler.store == SchedulerStore::kEtcd;
  const std::string path = "scheduler.endpoints";
  demand(!etcd || !scheduler.endpoints.empty(), context, path, {"scheduler.store"},
         "`store: etcd` needs scheduler.endpoints, such as http://127.0.0.1:2379");
  demand(etcd || scheduler.endpoints.empty(), context, path, {"scheduler.store"},
         "scheduler.endpoints need `store: etcd`");
  for (std::size_t i = 0; i < scheduler.endpoints.size(); ++i) {
    const auto place = parse_http_endpoint(scheduler.endpoints[i]);
    demand(place.ok(), context, fmt::format("{}[{}]", path, i), {path},
           place.ok() ? "" : "an endpoint of etcd " + place.error().message);
  }
  // A scheduler grants no lease beyond its own leadership: nodes' leases would be cut short all the time.
  demand(!etcd || job.cluster.lease_ms * 3 <= scheduler.lease_seconds * 2000, context, "scheduler.lease",
         {"cluster.lease", "scheduler.store"},
         fmt::format("scheduler.lease is at least one and a half times cluster.lease, {:g} s",
                     static_cast<double>(job.cluster.lease_ms) / 1000));
}

void check_job(const JobConfig& job, ReadContext& context) {
  demand(!job.name.empty(), context, "job", {}, "the job needs a name: `job: NAME`");
  demand(job.name.empty() || is_plain_name(job.name), context, "job", {},
         "the job's name " + plain_name_rule(job.name));
  if (job.task == Task::kDirect) {
    check_direct(job, context);
  } else {
    check_data(job, context);
    check_features(job, context);
    check_training(job, context);
  }
  check_tune(job, context);
  check_storage(job, context);
  check_tables(job, context);
  check_cluster(job, context);
  check_scheduler(job, context);
}

}  // namespace capstan
