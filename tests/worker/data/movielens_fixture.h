// A small MovieLens-like folder, and jobs over it.
#pragma once

#include <string>

#include "common/config/job_config.h"
#include "tests/temp_dir.h"

namespace capstan {

inline JobConfig ranking_job(const TempDir& dir, const std::string& folder) {
  JobConfig job;
  job.name = "test";
  job.task = Task::kRanking;
  job.work_dir = dir.path("work");
  job.data.format = DataFormat::kMovielens;
  job.data.train = {folder};
  job.data.max_bad_lines = 0;
  job.data.split.method = SplitMethod::kRatioByUser;
  return job;
}

// Users 7 and 3 (in this order), films 10, 20 and 30; film 40 is never rated.
inline std::string write_ml_latest(const TempDir& dir) {
  dir.write("ml/movies.csv",
            "movieId,title,genres\n10,\"Heat, The "
            "(1995)\",Action|Crime\n20,Am\xC3\xA9lie,Comedy\n30,Up,Comedy\n40,No,Drama\n");
  dir.write(
      "ml/ratings.csv",
      "userId,movieId,rating,timestamp\n7,30,4.0,100\n7,10,2.5,200\n3,10,5.0,50\n3,20,1.0,40\n3,30,3.0,60\n");
  return dir.path("ml");
}

}  // namespace capstan
