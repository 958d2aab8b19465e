// Laws that every model of the registry obeys.
#include <gtest/gtest.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "tests/worker/nn/finite_difference.h"
#include "tests/worker/nn/models/local_cluster.h"

namespace capstan {
namespace {

std::vector<FieldInfo> mixed_fields() {
  std::vector<FieldInfo> fields{make_field("user", FieldSource::kUser),
                                make_field("item", FieldSource::kItem),
                                make_field("price", FieldSource::kItem, false, true),
                                make_field("genres", FieldSource::kItem, true),
                                make_field("hour", FieldSource::kEvent),
                                make_field("seen", FieldSource::kUser, true),
                                make_field("age", FieldSource::kUser, false, true)};
  fields[5].table = "item";  // a shared table
  return fields;
}

// With what came before, for a model that reads it in order.
std::vector<FieldInfo> fields_for(const JobConfig& job) {
  auto fields = mixed_fields();
  if (job.model.type != "sequence") return fields;
  fields.push_back(make_field("before", FieldSource::kEvent, true));
  fields.back().table = "item";
  return fields;
}

std::vector<TestExample> mixed_examples(std::uint32_t count, std::uint64_t seed) {
  Rng rng(seed), past(seed + 1);
  std::vector<TestExample> examples(count);
  for (TestExample& example : examples) {
    example.keys = {{rng.below(4)}, {rng.below(5)}, {}, {}, {rng.below(3)}, {}, {}, {}};
    for (std::uint64_t i = rng.below(4); i > 0; --i) example.keys[3].push_back(rng.below(4));
    for (std::uint64_t i = rng.below(3); i > 0; --i) example.keys[5].push_back(rng.below(5));
    for (std::uint64_t i = past.below(6); i > 0; --i) example.keys[7].push_back(past.below(5));
    example.dense = {static_cast<float>(rng.normal()), static_cast<float>(rng.normal())};
    example.label = static_cast<float>(rng.below(2));
  }
  return examples;
}

JobConfig law_job(std::string_view type) {
  JobConfig job;
  job.seed = 3;
  job.model.type = std::string(type);
  job.model.embedding_dim = 3;
  job.model.hidden = {5, 4};
  job.model.activation = Activation::kTanh;
  job.model.window = 3;
  job.model.filters = 2;
  TableConfig wide;
  wide.init = InitSpec{.kind = InitKind::kNormal, .scale = 0.5F};
  job.tables["default"] = wide;
  return job;
}

// One for each model, and for each encoder of sequences.
std::vector<JobConfig> law_jobs() {
  std::vector<JobConfig> jobs;
  const auto add = [&](std::string_view type, std::string_view name, SequenceEncoder encoder) {
    jobs.push_back(law_job(type));
    jobs.back().name = name;
    jobs.back().model.encoder = encoder;
  };
  for (const ModelEntry& entry : all_models()) add(entry.type, entry.type, SequenceEncoder::kSasrec);
  add("sequence", "gru4rec", SequenceEncoder::kGru4rec);
  add("sequence", "caser", SequenceEncoder::kCaser);
  return jobs;
}

// A model, its rows and one batch.
class Bench {
 public:
  Bench(JobConfig job, std::uint32_t examples, std::uint32_t micro_batch, std::uint32_t group = 1,
        const std::optional<std::vector<FieldInfo>>& fields = {})
      : model_(make(job, fields.value_or(fields_for(job)))),
        loss_(loss_of(job)),
        cluster_(model_->tables()),
        builder_(model_->tables(), 8),
        backprop_(*model_, loss_, micro_batch) {
    fill(builder_, model_->tables(), mixed_examples(examples, 5));
    builder_.data().group = group;
    step_ = builder_.finish();
    batch_ = builder_.data().view();
    cluster_.pull(step_);
  }

  static std::unique_ptr<Model> make(const JobConfig& job, const std::vector<FieldInfo>& fields) {
    auto model = make_model(job, fields);
    EXPECT_TRUE(model.ok()) << model.error().message;
    return std::move(model).value();
  }
  double loss() { return train().loss_sum; }
  Backprop::Trained train(float scale = 1.0F) {
    const auto result = backprop_.train(batch_, step_, scale);
    EXPECT_TRUE(result.ok()) << result.error().message;
    return result.value();
  }
  void check_gradients(const std::string& what, const std::function<double()>& f, float scale = 1.0F) {
    train(scale);
    auto gradients = step_;
    for (std::size_t t = 0; t < step_.size(); ++t) {
      const std::string& name = model_->tables().all()[t].spec.name;
      expect_gradient(what + ", table " + name, step_[t].rows, gradients[t].gradients, f, 5e-3, 5e-3);
    }
  }

  std::unique_ptr<Model> model_;
  const Loss& loss_;
  LocalCluster cluster_;
  BatchBuilder builder_;
  Backprop backprop_;
  std::vector<StepTable> step_;
  MicroBatch batch_;
};

TEST(Models, GradientsAgreeWithFiniteDifferences) {
  for (const JobConfig& job : law_jobs()) {
    Bench bench(job, 7, 3);
    bench.check_gradients(job.name, [&] { return bench.loss(); });
  }
}

TEST(Models, GradientsAgreeWithEveryLayerOption) {
  for (const std::string type : {"mlp", "deepfm", "wide_deep", "neumf", "dcn_v2", "dlrm", "finalmlp"}) {
    for (const Activation activation : {Activation::kGelu, Activation::kPrelu, Activation::kSigmoid}) {
      JobConfig job = law_job(type);
      job.model.activation = activation;
      job.model.layer_norm = activation == Activation::kGelu;
      job.model.dropout = activation == Activation::kSigmoid ? 0.3 : 0.0;
      job.model.cross_rank = activation == Activation::kGelu ? 2 : 0;
      job.model.heads = activation == Activation::kGelu ? 4 : 1;
      job.model.hidden2 = {3, 8};
      if (activation == Activation::kPrelu) {
        job.model.gate1 = {"hour", "item"};
        job.model.cross_structure = CrossStructure::kStacked;
      }
      Bench bench(job, 6, 4);
      for (StepTable& table : bench.step_) {  // slopes of 1 leave no kink that a difference could straddle
        const std::string& name = bench.model_->tables().all()[table.table].spec.name;
        if (name.ends_with("_slope")) std::fill(table.rows.begin(), table.rows.end(), 1.0F);
      }
      bench.check_gradients(type, [&] { return bench.loss(); });
    }
  }
}

// A list laid side by side: longer lists are cut, shorter ones padded.
TEST(Models, GradientsAgreeWithAListWithoutPooling) {
  auto fields = mixed_fields();
  fields[3].pooling = Pooling::kNone;
  fields[3].length = 2;
  for (const std::string type : {"mlp", "wide_deep", "dcn_v2", "finalmlp"}) {
    Bench bench(law_job(type), 9, 4, 1, fields);
    bench.check_gradients(type, [&] { return bench.loss(); });
  }
  const auto refused = make_model(law_job("fm"), fields);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("feature genres: model fm reads one vector a feature"),
            std::string::npos);
}

TEST(Models, GradientsAgreeForRankingLosses) {
  for (const LossKind kind : {LossKind::kBpr, LossKind::kSampledSoftmax}) {
    for (const std::string type : {"mf", "neumf", "fm"}) {
      JobConfig job = law_job(type);
      job.model.loss = kind;
      Bench bench(job, 12, 4, 3);
      EXPECT_EQ(bench.train().count, 4U);
      bench.check_gradients(type, [&] { return bench.loss(); });
    }
  }
}

TEST(Models, GradientsAgreeForInBatchSoftmax) {
  JobConfig job = law_job("mf");
  job.model.loss = LossKind::kSampledSoftmax;
  job.data.negatives.sampler = Sampler::kInBatch;
  Bench bench(job, 9, 5);
  bench.check_gradients("in-batch", [&] { return bench.loss(); });

  // The pool of negatives is the whole batch, whatever a micro-batch is.
  EXPECT_EQ(Bench(job, 9, 2).loss(), Bench(job, 9, 100).loss());

  job.model.type = "neumf";
  Bench without(job, 9, 5);
  const auto refused = without.backprop_.train(without.batch_, without.step_, 1.0F);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("neumf has no vectors"), std::string::npos);
}

TEST(Models, LossesOverGroupsNeedNegatives) {
  JobConfig job = law_job("mf");
  job.model.loss = LossKind::kBpr;
  Bench bench(job, 4, 4);
  const auto refused = bench.backprop_.train(bench.batch_, bench.step_, 1.0F);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "loss bpr needs negatives beside each positive");
}

// ½·l2·(entries that name a row)·|row|², and ½·l2·examples·|row|² for layers, all times the scale.
TEST(Models, L2PerExampleIsChargedForEachEntry) {
  JobConfig job = law_job("mlp");
  job.sparse_optimizer.l2 = job.dense_optimizer.l2 = 0.3F;
  job.sparse_optimizer.l2_mode = job.dense_optimizer.l2_mode = L2Mode::kPerExample;
  Bench bench(job, 7, 3);
  const auto penalty = [&] {
    double sum = 0.0;
    for (const StepTable& table : bench.step_) {
      const ModelTable& declared = bench.model_->tables().all()[table.table];
      std::vector<double> entries(table.keys.size(), declared.spec.dense ? 7.0 : 0.0);
      for (std::uint32_t f = 0; f < bench.batch_.fields.size() && !declared.spec.dense; ++f) {
        if (bench.model_->tables().key_set_of(f) != declared.key_set) continue;
        for (const std::uint32_t position : bench.batch_.fields[f].positions) entries[position] += 1.0;
      }
      for (std::size_t i = 0; i < table.rows.size(); ++i) {
        sum += 0.15 * entries[i / declared.spec.dim] * static_cast<double>(table.rows[i]) * table.rows[i];
      }
    }
    return sum;
  };
  bench.check_gradients(
      "l2", [&] { return 0.5 * (bench.loss() + penalty()); }, 0.5F);
}

TEST(Models, GiveTheSameBitsOnAnyNumberOfThreads) {
  const tbb::global_control more_than_cores(tbb::global_control::max_allowed_parallelism, 8);
  for (JobConfig job : law_jobs()) {
    job.model.dropout = 0.2;
    std::vector<StepTable> first;
    double first_loss = 0.0;
    for (const int threads : {1, 2, 4, 7}) {
      Bench bench(job, 700, 16);
      tbb::task_arena arena(threads);
      double loss = 0.0;
      arena.execute([&] { loss = bench.loss(); });
      if (first.empty()) first = bench.step_, first_loss = loss;
      EXPECT_EQ(loss, first_loss) << job.name << ", " << threads;
      for (std::size_t t = 0; t < first.size(); ++t) {
        EXPECT_EQ(bench.step_[t].gradients, first[t].gradients) << job.name << ", " << threads;
      }
    }
  }
}

TEST(Models, MicroBatchesChangeNothingButRounding) {
  for (JobConfig job : law_jobs()) {
    job.model.dropout = 0.3;  // whose mask may not depend on where an example stands
    Bench whole(job, 50, 50);
    Bench parts(job, 50, 7);
    EXPECT_NEAR(whole.loss(), parts.loss(), 1e-4) << job.name;
    for (std::size_t t = 0; t < whole.step_.size(); ++t) {
      for (std::size_t i = 0; i < whole.step_[t].gradients.size(); ++i) {
        const float expected = parts.step_[t].gradients[i];
        EXPECT_NEAR(whole.step_[t].gradients[i], expected, 1e-4 * (1 + std::abs(expected))) << job.name;
      }
    }
  }
}

TEST(Models, ScoresAreThoseOfTraining) {
  for (const JobConfig& job : law_jobs()) {
    Bench bench(job, 20, 6);
    std::vector<float> scores(20), gradient(20);
    bench.backprop_.score(bench.batch_, bench.step_, scores);
    const double sum =
        bench.loss_.function({scores.data(), 20, 1}, bench.batch_, 1.0F, {gradient.data(), 20, 1});
    EXPECT_NEAR(sum, bench.loss(), 1e-5) << job.name;
  }
}

TEST(Models, VectorsMultiplyToTheScore) {
  for (const auto& [use_bias, cosine] :
       {std::pair(true, false), std::pair(false, false), std::pair(true, true)}) {
    JobConfig job = law_job("mf");
    job.model.use_bias = use_bias;
    job.model.layer_norm = cosine;
    Bench bench(job, 20, 6);
    const std::uint32_t size = bench.model_->vector_size();
    EXPECT_EQ(size, use_bias ? 5U : 3U);
    for (StepTable& table : bench.step_) {
      for (float& value : table.rows) value += 0.25F;  // biases start at zero
    }
    std::vector<float> users(20 * size), items(20 * size), scores(20);
    bench.backprop_.user_vectors(bench.batch_, bench.step_, {users.data(), 20, size});
    bench.backprop_.item_vectors(bench.batch_, bench.step_, {items.data(), 20, size});
    bench.backprop_.score(bench.batch_, bench.step_, scores);
    for (std::size_t i = 0; i < 20; ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < size; ++j)
        sum += static_cast<double>(users[i * size + j]) * items[i * size + j];
      EXPECT_NEAR(scores[i], sum, 1e-5);
    }
  }
}

// The length of a vector counts for nothing, and no score is beyond what the table `scale` starts from.
TEST(Models, NormalisedMfScoresByDirectionAlone) {
  JobConfig job = law_job("mf");
  job.model.use_bias = false;
  job.model.layer_norm = true;
  Bench bench(job, 20, 6);
  std::vector<float> scores(20), longer(20);
  bench.backprop_.score(bench.batch_, bench.step_, scores);
  for (std::size_t t = 0; t < bench.step_.size(); ++t) {
    if (bench.model_->tables().all()[t].spec.name == "scale") continue;
    for (float& value : bench.step_[t].rows) value *= 3.0F;
  }
  bench.backprop_.score(bench.batch_, bench.step_, longer);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_NEAR(scores[i], longer[i], 1e-5);
    EXPECT_LE(std::abs(scores[i]), 10.0F + 1e-4F);
  }
  bench.check_gradients("normalised mf", [&] { return bench.loss(); });
}

TEST(Models, ItemVectorsNeedOnlyTheItemsFields) {
  const auto model = Bench::make(law_job("mf"), mixed_fields());
  Bench bench(law_job("mf"), 4, 2);
  BatchBuilder builder(model->tables(), 8);
  const auto examples = mixed_examples(4, 5);
  builder.data().size = 4;
  for (const TestExample& example : examples) {
    builder.add(1, example.keys[1], {});
    builder.add(3, example.keys[3], {});
  }
  auto step = builder.finish();
  bench.cluster_.pull(step);
  std::vector<float> alone(4 * 5), with_users(4 * 5);
  bench.backprop_.item_vectors(builder.data().view(), step, {alone.data(), 4, 5});
  bench.backprop_.item_vectors(bench.batch_, bench.step_, {with_users.data(), 4, 5});
  EXPECT_EQ(alone, with_users);
}

// A batch in which no example has a genre pulls nothing of that table.
TEST(Models, ATableThatNoExampleNamesMayBeLeftOut) {
  for (const JobConfig& job : law_jobs()) {
    const auto model = Bench::make(job, fields_for(job));
    auto examples = mixed_examples(6, 5);
    for (TestExample& example : examples) example.keys[3].clear();
    BatchBuilder builder(model->tables(), 8);
    fill(builder, model->tables(), examples);
    auto step = builder.finish();
    EXPECT_LT(step.size(), model->tables().all().size());
    LocalCluster cluster(model->tables());
    cluster.pull(step);
    Backprop backprop(*model, loss_of(job), 4);
    EXPECT_TRUE(backprop.train(builder.data().view(), step, 1.0F).ok());
    for (const StepTable& table : step) EXPECT_EQ(table.gradients.size(), table.rows.size());
  }
}

TEST(Models, RefuseFeaturesThatAreNamedLikeTheirLayers) {
  for (const std::string taken : {"mlp_0", "a_linear"}) {
    std::vector<FieldInfo> fields = mixed_fields();
    fields[0].name = fields[0].table = "a";
    fields[1].name = fields[1].table = taken;
    const auto model = make_model(law_job("deepfm"), fields);
    ASSERT_FALSE(model.ok()) << taken;
    EXPECT_NE(model.error().message.find("'" + taken + "'"), std::string::npos) << model.error().message;
  }
}

TEST(Models, RefuseWhatIsNotFinite) {
  Bench bench(law_job("deepfm"), 5, 5);
  bench.step_[0].rows[0] = std::numeric_limits<float>::quiet_NaN();
  const auto result = bench.backprop_.train(bench.batch_, bench.step_, 1.0F);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kInvalid);

  Bench overflow(law_job("fm"), 5, 5);
  for (StepTable& table : overflow.step_) {
    for (float& value : table.rows) value = 1e-20F;
  }
  const auto gradient =
      overflow.backprop_.train(overflow.batch_, overflow.step_, std::numeric_limits<float>::infinity());
  ASSERT_FALSE(gradient.ok());
  EXPECT_NE(gradient.error().message.find("the gradient of table"), std::string::npos)
      << gradient.error().message;

  Bench huge(law_job("fm"), 5, 5);  // finite, but servers would refuse it
  const auto refused = huge.backprop_.train(huge.batch_, huge.step_, 1e30F);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("beyond the 1e+18"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace capstan
