// Model: which tables a recommender has, and how it scores a micro-batch.
#pragma once

#include <cstdint>

#include "worker/models/model_tables.h"
#include "worker/nn/micro_batch.h"
#include "worker/nn/tape.h"

namespace capstan {

// Immutable; any number of threads may use it, each with its own tape. The tape's tables are parallel to
// tables().all(), the batch's fields to Dataset::fields.
class Model {
 public:
  virtual ~Model() = default;

  virtual const ModelTables& tables() const = 0;
  virtual Var forward(Tape& tape, const MicroBatch& batch) const = 0;  // scores [n, 1]: logits or ratings

  // A model whose score is an inner product of a user's and an item's vector (biases included, as columns of
  // their own) says how long they are and makes them, so that all items are ranked by one matrix product; 0:
  // it is not such a model. A batch for one side needs only the fields of that side.
  virtual std::uint32_t vector_size() const { return 0; }
  virtual Var user_vectors(Tape& tape, const MicroBatch& batch) const;  // [n, vector_size()]
  virtual Var item_vectors(Tape& tape, const MicroBatch& batch) const;

  // The first columns of item_vectors() that every user weighs in an own way: what FoldIn stands on. A model
  // without vector_size() may have them for a part of its score, and then item_vectors() gives just these.
  virtual std::uint32_t taste_size() const { return vector_size(); }
  std::uint32_t item_vector_size() const { return vector_size() > 0 ? vector_size() : taste_size(); }
};

}  // namespace capstan
