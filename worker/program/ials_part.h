// IalsPart: implicit alternating least squares over the parameter server. Even passes solve the users'
// vectors from the items', odd passes the items' from the users': rows are independent, and all that joins
// them is HᵀH of the other side, which a worker makes from one pull a pass. New vectors are pushed as they
// are (optimizer assign). Source: Hu, Koren and Volinsky 2008; in the form of Rendle et al. 2022 (see
// ials_solve.h).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/config/job_config.h"
#include "worker/data/dataset.h"
#include "worker/models/ials_solve.h"
#include "worker/models/model.h"
#include "worker/program/batch_slots.h"
#include "worker/program/part.h"

namespace capstan {

// The job as its model is declared: MF without biases, rows assigned.
JobConfig ials_as_mf(JobConfig job);

class IalsPart final : public Part {
 public:
  // kInvalid unless the model is MF over one user field and one item field, with one key each. All outlive
  // the part.
  static Result<std::unique_ptr<IalsPart>> create(const JobConfig& job, const Dataset& data,
                                                  const Model& model);

  std::uint64_t num_batches(const WorkItem& item) const override;
  // The first batch that a worker builds in a pass pulls the whole other side; it serves all batches of that
  // pass.
  Status build(const WorkItem& item, std::uint64_t batch, Step& step) override;
  Status compute(const WorkItem& item, Step& step) override;
  Result<Buffer> finish(const WorkItem&) override { return Buffer(); }

 private:
  struct Side {
    std::uint32_t table = 0;
    std::vector<Key> keys;              // by entity
    std::vector<std::uint64_t> starts;  // [entities + 1]: its partners in the other side
    std::vector<std::uint32_t> partners;
    std::uint32_t size() const { return static_cast<std::uint32_t>(keys.size()); }
  };

  IalsPart(const JobConfig& job, const Dataset& data) : job_(job), data_(data) {}
  Status index(const Model& model);
  void fill(Side& side, FieldSource source) const;
  const Side& solved(std::uint32_t pass) const { return pass % 2 == 0 ? users_ : items_; }
  const Side& given(std::uint32_t pass) const { return pass % 2 == 0 ? items_ : users_; }
  void take_given(std::uint32_t pass, const StepTable& pulled);
  Status solve_block(std::uint32_t pass, std::uint64_t begin, std::uint64_t end, float* out,
                     double& loss) const;

  const JobConfig& job_;
  const Dataset& data_;
  std::uint32_t dim_ = 0;
  Side users_, items_;
  std::uint64_t asked_pass_ = ~0ULL;  // build(): the other side is on its way
  std::uint64_t given_pass_ = ~0ULL;  // compute(): it is in vectors_
  std::vector<float> vectors_;        // [other side, dim]
  std::vector<float> gramian_;        // [dim, dim]
};

}  // namespace capstan
