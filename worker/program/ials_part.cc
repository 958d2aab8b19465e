#include "worker/program/ials_part.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/parallel.h"

namespace capstan {
namespace {

struct BlockData final : StepData {
  std::uint64_t begin = 0, end = 0;
  bool pulls_given = false;
};

constexpr std::uint32_t kGramianRows = 4096;
constexpr std::uint64_t kEntitiesEach = 16;  // solved with the same memory

}  // namespace

JobConfig ials_as_mf(JobConfig job) {
  job.model.type = "mf";
  job.model.use_bias = false;
  job.sparse_optimizer = OptimizerSpec{};
  job.sparse_optimizer.kind = OptimizerKind::kAssign;
  return job;
}

Result<std::unique_ptr<IalsPart>> IalsPart::create(const JobConfig& job, const Dataset& data,
                                                   const Model& model) {
  std::unique_ptr<IalsPart> part(new IalsPart(job, data));
  CAPSTAN_TRY(part->index(model));
  return part;
}

Status IalsPart::index(const Model& model) {
  const ModelTables& tables = model.tables();
  const auto find_side = [&](FieldSource source, const std::vector<FieldColumn>& columns,
                             std::uint32_t entities, Side& side) -> Status {
    const auto fields = tables.sparse_fields(source);
    if (fields.size() != 1 || data_.fields[fields[0]].list) {
      return make_error(ErrorCode::kInvalid,
                        "model ials takes one user field and one item field, of one key each");
    }
    const auto key_set = tables.key_set_of(fields[0]);
    for (std::uint32_t i = 0; i < tables.all().size(); ++i) {
      if (!tables.all()[i].spec.dense && key_set == tables.all()[i].key_set) side.table = i;
    }
    for (std::uint32_t entity = 0; entity < entities; ++entity) {
      side.keys.push_back(columns[fields[0]].row_keys(entity)[0]);
    }
    side.starts.assign(entities + 1, 0);
    return ok_status();
  };
  CAPSTAN_TRY(find_side(FieldSource::kUser, data_.user_fields, data_.num_users, users_));
  CAPSTAN_TRY(find_side(FieldSource::kItem, data_.item_fields, data_.num_items, items_));
  dim_ = tables.dim(users_.table);
  fill(users_, FieldSource::kUser);
  fill(items_, FieldSource::kItem);
  return ok_status();
}

// Train, and validation where the job trains on it too.
void IalsPart::fill(Side& side, FieldSource source) const {
  const auto each = [&](const auto& visit) {
    for (std::uint64_t row = 0; row < data_.train.size; ++row)
      visit(data_.train.user(row), data_.train.item(row));
    const std::uint64_t more = job_.train.include_valid ? data_.valid.size : 0;
    for (std::uint64_t row = 0; row < more; ++row) visit(data_.valid.user(row), data_.valid.item(row));
  };
  const bool users = source == FieldSource::kUser;
  each([&](std::uint32_t user, std::uint32_t item) { ++side.starts[(users ? user : item) + 1]; });
  std::partial_sum(side.starts.begin(), side.starts.end(), side.starts.begin());
  side.partners.resize(side.starts.back());
  auto next = side.starts;
  each([&](std::uint32_t user, std::uint32_t item) {
    side.partners[next[users ? user : item]++] = users ? item : user;
  });
}

std::uint64_t IalsPart::num_batches(const WorkItem& item) const {
  return BatchSlots(solved(item.pass).size(), job_.train.batch_size, false)
      .num_batches(item.partition, item.num_partitions);
}

Status IalsPart::build(const WorkItem& item, std::uint64_t batch, Step& step) {
  const PositionRange range = BatchSlots(solved(item.pass).size(), job_.train.batch_size, false)
                                  .batch(batch, item.partition, item.num_partitions);
  auto data = std::make_unique<BlockData>();
  data->begin = range.begin;
  data->end = range.end;
  StepTable own;
  own.table = solved(item.pass).table;
  own.keys.assign(solved(item.pass).keys.begin() + static_cast<std::ptrdiff_t>(range.begin),
                  solved(item.pass).keys.begin() + static_cast<std::ptrdiff_t>(range.end));
  sort_for_wire(own.keys, job_.cluster.num_shards);
  step.tables.push_back(std::move(own));
  if (asked_pass_ != item.pass) {
    asked_pass_ = item.pass;
    data->pulls_given = true;
    StepTable other;
    other.table = given(item.pass).table;
    other.keys = given(item.pass).keys;
    sort_for_wire(other.keys, job_.cluster.num_shards);
    step.tables.push_back(std::move(other));
  }
  step.data = std::move(data);
  return ok_status();
}

void IalsPart::take_given(std::uint32_t pass, const StepTable& pulled) {
  std::vector<std::pair<Key, std::uint32_t>> positions;
  for (std::uint32_t i = 0; i < pulled.keys.size(); ++i) positions.emplace_back(pulled.keys[i], i);
  std::sort(positions.begin(), positions.end());
  const Side& side = given(pass);
  vectors_.resize(std::size_t{side.size()} * dim_);
  for (std::uint32_t entity = 0; entity < side.size(); ++entity) {
    const auto at = std::lower_bound(positions.begin(), positions.end(), std::pair{side.keys[entity], 0U});
    std::copy_n(pulled.rows.begin() + static_cast<std::ptrdiff_t>(std::size_t{at->second} * dim_), dim_,
                vectors_.begin() + static_cast<std::ptrdiff_t>(std::size_t{entity} * dim_));
  }
  gramian_.assign(std::size_t{dim_} * dim_, 0.0F);
  const ConstMatrix all{vectors_.data(), side.size(), dim_};
  for (std::uint32_t row = 0; row < side.size(); row += kGramianRows) {
    add_gramian(all.rows_from(row, std::min(kGramianRows, side.size() - row)), {gramian_.data(), dim_, dim_});
  }
  given_pass_ = pass;
}

Status IalsPart::solve_block(std::uint32_t pass, std::uint64_t begin, std::uint64_t end, float* out,
                             double& loss) const {
  const Side& side = solved(pass);
  IalsSettings settings;
  settings.weight = job_.model.ials_weight;
  settings.reg = job_.model.ials_reg;
  settings.opposite_rows = given(pass).size();
  std::vector<double> losses(end - begin, 0.0);
  std::vector<Status> failures(end - begin, ok_status());
  const auto solve_one = [&](std::uint64_t entity, IalsSolver& solver) {
    std::vector<float> seen;
    for (std::uint64_t i = side.starts[entity]; i < side.starts[entity + 1]; ++i) {
      const float* vector = vectors_.data() + std::size_t{side.partners[i]} * dim_;
      seen.insert(seen.end(), vector, vector + dim_);
    }
    const ConstMatrix rows{seen.data(), static_cast<std::uint32_t>(seen.size() / dim_), dim_};
    const std::span<float> solution(out + (entity - begin) * dim_, dim_);
    failures[entity - begin] = solver.solve(rows, {gramian_.data(), dim_, dim_}, settings, solution);
    for (std::uint32_t i = 0; i < rows.rows; ++i) {
      const double score = std::inner_product(solution.begin(), solution.end(), rows.row(i), 0.0);
      losses[entity - begin] += (1.0 - score) * (1.0 - score);
    }
  };
  parallel_for((end - begin + kEntitiesEach - 1) / kEntitiesEach, [&](std::size_t part) {
    IalsSolver solver(dim_);
    const std::uint64_t first = begin + part * kEntitiesEach;
    for (auto i = first; i < std::min(end, first + kEntitiesEach); ++i) solve_one(i, solver);
  });
  for (const auto& failure : failures) CAPSTAN_TRY(failure);
  loss = std::accumulate(losses.begin(), losses.end(), 0.0);
  return ok_status();
}

Status IalsPart::compute(const WorkItem& item, Step& step) {
  const auto& block = static_cast<const BlockData&>(*step.data);
  if (block.pulls_given) take_given(item.pass, step.tables[1]);
  if (given_pass_ != item.pass)
    return make_error(ErrorCode::kInvalid, "ials: the other side's vectors are missing");
  std::vector<float> solutions((block.end - block.begin) * dim_);
  CAPSTAN_TRY(solve_block(item.pass, block.begin, block.end, solutions.data(), step.loss_sum));
  const Side& side = solved(item.pass);
  step.examples = side.starts[block.end] - side.starts[block.begin];
  std::vector<std::pair<Key, std::uint64_t>> positions;
  for (std::uint64_t entity = block.begin; entity < block.end; ++entity) {
    positions.emplace_back(side.keys[entity], entity - block.begin);
  }
  std::sort(positions.begin(), positions.end());
  StepTable& own = step.tables[0];
  own.gradients.resize(own.keys.size() * dim_);
  for (std::size_t i = 0; i < own.keys.size(); ++i) {
    const auto at =
        std::lower_bound(positions.begin(), positions.end(), std::pair{own.keys[i], std::uint64_t{0}});
    std::copy_n(solutions.begin() + static_cast<std::ptrdiff_t>(at->second * dim_), dim_,
                own.gradients.begin() + static_cast<std::ptrdiff_t>(i * dim_));
  }
  return ok_status();
}

}  // namespace capstan
