// Splits: which rows train, which choose (validation) and which judge (test).
#pragma once

#include <cstdint>

#include "common/config/job_config.h"
#include "worker/data/events.h"

namespace capstan {

// Fills events.parts. A share of n rows is floor(n * share), with 1e-9 added so that .2 of 5 is 1.
//   leave_one_out  each user's last event is test, the one before it validation (when valid > 0); a user
//   needs three
//                  events to be tested (two without validation), else all of them train
//   global_time    the last `test` share of all events; events with the time of the first of them go with it
//   ratio_by_user  the last `test` share of each user's events; of what is left the last `valid` share
//   ratio          a seeded random share of all rows
//   kfold          every row is in the test part of exactly one fold; validation is a random share of what is
//   left files          each row is in the part its file was given as; without validation files the last
//   `valid` share of each
//                  user's training rows by (time, line), or of all rows at random when the data has no users
//   none           everything trains; the same as files when test or validation files are given
// "Last" is by (time, item id): ids in numeric order when all are whole numbers, else as text; then by line.
// kInvalid when the data lacks the users, items or times that the method needs, or nothing is left to train
// on.
Status assign_parts(const SplitConfig& split, std::uint64_t seed, const std::vector<Origin>& origin,
                    Events& events);

// The place of each item in the order of ids described above.
std::vector<std::uint32_t> item_ranks(const IdIndex& items);

}  // namespace capstan
