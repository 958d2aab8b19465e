// JobConfig: the job file as typed values, every default filled in. docs/JOB_REFERENCE.md describes each
// field.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/table_spec.h"

namespace capstan {

enum class Task { kCtr, kRating, kRanking, kDirect };
enum class DataFormat { kCsv, kTsv, kLibsvm, kLibffm, kCriteo, kJsonl, kItemLists, kMovielens };
enum class Missing { kKeep, kDrop, kConstant, kMean, kMedian };
enum class ColumnType { kString, kInt, kFloat };
enum class SplitMethod { kNone, kLeaveOneOut, kGlobalTime, kRatioByUser, kRatio, kKFold, kFiles };
enum class Sampler { kUniform, kPopularity, kInBatch };
enum class Pooling { kNone, kSum, kMean, kMax };
enum class Consistency { kAsync, kBounded, kSync };
enum class LossKind { kBce, kMse, kBpr, kSampledSoftmax, kUltraGcn };
enum class Activation { kNone, kRelu, kSigmoid, kTanh, kGelu, kPrelu };
enum class CrossStructure { kParallel, kStacked };
enum class SequenceEncoder { kSasrec, kGru4rec, kCaser };

struct CleanRule {  // one column's rule
  std::string column;
  ColumnType type = ColumnType::kString;
  bool required = false;
  std::optional<double> min, max;  // outside: the line is rejected
  Missing missing = Missing::kKeep;
  double constant = 0.0;
  bool indicator = false;                     // adds a 0/1 column NAME_missing
  std::optional<double> clip_low, clip_high;  // quantiles in [0, 1], fitted on train
  bool needs_numbers() const {
    return min || max || clip_low || clip_high || missing == Missing::kMean || missing == Missing::kMedian;
  }
  bool operator==(const CleanRule&) const = default;
};

struct SplitConfig {
  SplitMethod method = SplitMethod::kNone;
  double test = 0.2;   // share, where the method takes one
  double valid = 0.1;  // share of what is left after test
  std::uint32_t folds = 5, fold = 0;
  bool operator==(const SplitConfig&) const = default;
};

struct NegativeConfig {
  std::uint32_t per_positive = 0;
  Sampler sampler = Sampler::kUniform;
  double alpha = 0.75;        // popularity^alpha
  bool exclude_known = true;  // a user's train positives are never drawn as negatives
  bool operator==(const NegativeConfig&) const = default;
};

struct DataConfig {
  DataFormat format = DataFormat::kCsv;
  std::vector<std::string> train, valid, test;  // paths or globs; .gz and .zst are read through
  bool header = true;
  std::string delimiter = ",";
  std::vector<std::string> columns;  // names, when there is no header
  std::vector<std::string>
      test_columns;                     // names of the test files' columns where they differ; empty: the same
  std::string label, user, item, time;  // column names; empty: the data has none
  std::vector<std::string> label_positive;  // ctr: the labels' words for 1, all others are 0; empty: numbers
  std::string items, item_key;              // a side file of item columns (titles, genres) and its key column
  std::vector<std::string> item_columns;    // names, when that file has no header
  std::string users, user_key;
  std::string item_title;       // the column that names an item for people
  std::string test_candidates;  // NCF-style file of negatives for sampled evaluation
  bool test_ids_are_indices =
      false;  // test and candidate files name users and items by order of appearance in train
  bool exclude_test_from_train = false;  // files: a (user, item) of the test files is taken out of train
  std::optional<double> positive_from;   // ranking: ratings at or above are positive; absent: all are
  std::vector<CleanRule> clean;
  std::vector<std::string> unique;  // lines equal in these columns: the last by time is kept
  std::uint64_t max_bad_lines = 100;
  std::string reject_file;
  SplitConfig split;
  NegativeConfig negatives;
  bool operator==(const DataConfig&) const = default;
};

struct TransformStep {  // one link of a feature's chain
  std::string name;     // hash, vocab, bucketise, log, zscore, minmax, cross, split, ngrams, history, counter
  std::map<std::string, std::string> options;
  bool operator==(const TransformStep&) const = default;
};

struct FeatureConfig {
  std::string name;
  std::vector<std::string> columns;
  std::vector<TransformStep> transform;
  bool dense = false;  // set by the chain: numbers stay numbers
  std::string table;   // default: the feature's name
  Pooling pooling = Pooling::kSum;
  std::uint32_t length = 0;  // pooling none on a list: so many vectors, cut or padded with zeros
  bool operator==(const FeatureConfig&) const = default;
};

struct TableConfig {  // overrides for one table or, under "default", for all
  std::optional<std::uint32_t> dim;
  std::optional<Dtype> dtype;
  std::optional<InitSpec> init;
  std::optional<OptimizerSpec> optimizer;
  std::optional<std::uint32_t> min_count;
  std::optional<std::uint64_t> ttl_seconds;
  std::optional<std::uint64_t> max_rows;
  bool operator==(const TableConfig&) const = default;
};

struct ModelConfig {
  std::string type;
  std::uint32_t embedding_dim = 16;
  std::vector<std::uint32_t> hidden = {64, 32};
  Activation activation = Activation::kRelu;
  double dropout = 0.0;
  bool layer_norm = false;
  bool use_bias = true;                                               // MF: user, item and global bias
  bool use_gmf = true, use_mlp = true;                                // NeuMF's two halves
  std::uint32_t cross_layers = 3, cross_rank = 0, cross_experts = 4;  // DCN-V2; rank 0: full matrices
  CrossStructure cross_structure = CrossStructure::kParallel;
  std::vector<std::uint32_t> bottom = {64};  // DLRM: hidden layers over the numbers
  std::vector<std::uint32_t> hidden2;        // FinalMLP's second stream; empty: as hidden
  std::uint32_t heads = 1;                // FinalMLP; 0: no products of the streams; sequence: of attention
  bool use_gates = true;                  // FinalMLP
  std::vector<std::string> gate1, gate2;  // FinalMLP: features that each gate reads
  std::vector<std::uint32_t> gate_hidden = {64};
  SequenceEncoder encoder = SequenceEncoder::kSasrec;
  std::uint32_t max_length = 50;                     // sequence: latest items that count
  std::uint32_t blocks = 2;                          // sequence: layers of attention or recurrence
  std::uint32_t window = 5;                          // Caser: items that a convolution sees
  std::uint32_t filters = 16, vertical_filters = 4;  // Caser: of each height; over time alone
  LossKind loss = LossKind::kBce;
  double negative_weight = 300.0;  // UltraGCN: of the mean over an example's negatives
  double ials_weight = 0.3;        // weight of the unobserved
  double ials_reg = 0.007;
  bool operator==(const ModelConfig&) const = default;
};

struct TrainConfig {
  Consistency consistency = Consistency::kAsync;
  std::uint32_t staleness = 0;  // bounded
  std::uint32_t passes = 1;
  std::uint32_t batch_size = 1024;  // positives of one batch; sync: of the whole step
  std::uint32_t partitions = 0;     // 0: 4 a worker (async), one a worker (bounded, sync)
  std::uint32_t pipeline_depth = 2;
  std::uint32_t micro_batch = 256;  // examples of one TBB task
  std::uint32_t max_bad_batches = 10;
  bool include_valid = false;             // train on validation too, once it has served its purpose
  std::uint32_t early_stop_patience = 0;  // passes without improvement; 0: off
  std::string early_stop_metric;          // read on validation only
  std::uint32_t push_window = 4;          // unacknowledged pushes a stream and server
  bool pull_copies = false;               // bounded: backups that are not too stale answer pulls
  bool operator==(const TrainConfig&) const = default;
};

struct EvaluateConfig {
  std::vector<std::string> metrics;  // empty: the task's usual ones
  std::vector<std::uint32_t> at = {10};
  std::uint32_t sampled_negatives = 0;  // 0: full ranking
  std::uint32_t every_passes = 0;       // validation during training; 0: only at the end
  std::vector<std::string> baselines;   // most_popular, item_knn, ease
  std::uint32_t bootstrap = 1000;
  std::uint32_t recommend_users = 3;  // shown at the end of a ranking job
  std::vector<std::string> beside;    // leave_one_out, global_cut: splits that the job is run on once more
  bool test = true;                   // false: the test part is never scored
  bool keep_values = true;            // each user's or example's figures, beside the report
  bool operator==(const EvaluateConfig&) const = default;
};

enum class RangeKind { kChoices, kUniform, kLogUniform, kInt, kLogInt };

struct SearchRange {  // what `capstan tune` may give one setting
  RangeKind kind = RangeKind::kChoices;
  std::vector<std::string> choices;  // as they stand behind the setting's colon
  double low = 0.0, high = 0.0;      // of the other kinds; both may be drawn
  bool operator==(const SearchRange&) const = default;
};

struct TuneConfig {
  std::map<std::string, SearchRange> space;  // by the setting's path
  std::string metric;                        // of validation; empty: as train.early_stop_metric
  std::uint32_t trials = 20;
  std::uint32_t eta = 3;  // one trial of so many goes on to so many times the passes
  std::uint32_t min_passes = 1;
  std::uint32_t parallel = 1;  // trials at a time
  std::uint64_t seed = 1;
  bool operator==(const TuneConfig&) const = default;
};

struct CheckpointConfig {
  std::string path;               // empty: no checkpoints
  std::uint64_t every_steps = 0;  // batches over all workers
  std::uint64_t every_seconds = 0;
  std::uint32_t keep = 3;
  std::uint32_t full_every = 8;  // one of so many holds all rows, the others those that changed
  bool operator==(const CheckpointConfig&) const = default;
};

enum class Security { kNone, kCurve };

struct ClusterConfig {
  std::string scheduler = "tcp://127.0.0.1:0";
  std::string bind_host = "127.0.0.1";
  std::vector<std::string> hosts;  // of `capstan launch`, as lines of its hosts file
  std::uint32_t servers = 1, workers = 1;
  std::uint32_t num_shards = 256;
  std::uint32_t replicas = 1;
  bool balance_load = true;        // shards that are asked for much are spread over the servers
  std::uint32_t threads = 0;       // a process; 0: cores / processes on this host, at least 1
  std::uint64_t memory_limit = 0;  // bytes a server; 0: 70 % of the machine's, shared
  std::uint64_t lease_ms = 2000;
  std::uint64_t scheduler_grace_ms = 60000;
  std::uint64_t catch_up_rate = 256ULL << 20;  // bytes a second; 0: no limit
  std::uint64_t startup_timeout_ms = 60000;
  std::uint64_t max_frame_bytes = 256ULL << 20;
  Security security = Security::kNone;
  std::string keys;       // curve: folder; default WORK_DIR/keys
  bool insecure = false;  // none: listen beyond loopback all the same
  bool operator==(const ClusterConfig&) const = default;
};

enum class SchedulerStore { kFile, kEtcd };

struct SchedulerConfig {
  SchedulerStore store = SchedulerStore::kFile;
  std::vector<std::string> endpoints;  // etcd: http://host:port
  std::uint64_t lease_seconds = 3;     // etcd: of whoever leads
  bool operator==(const SchedulerConfig&) const = default;
};

struct JobConfig {
  std::string name;
  std::uint64_t seed = 42;
  Task task = Task::kCtr;
  std::string work_dir;  // prepared data, journal, logs; default .capstan/NAME
  DataConfig data;
  std::vector<FeatureConfig> features;
  std::map<std::string, TableConfig> tables;
  ModelConfig model;
  OptimizerSpec sparse_optimizer;  // embedding tables
  OptimizerSpec dense_optimizer = {.kind = OptimizerKind::kAdam, .learning_rate = 0.001F, .schedule = {}};
  TrainConfig train;
  EvaluateConfig evaluate;
  TuneConfig tune;
  CheckpointConfig checkpoint;
  ClusterConfig cluster;
  SchedulerConfig scheduler;
  std::string report;  // JSON; empty: none
  bool operator==(const JobConfig&) const = default;
};

}  // namespace capstan
