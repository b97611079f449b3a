defmodule Singularity.DoctestsTest do
  use ExUnit.Case, async: true

  doctest Singularity.Answers
  doctest Singularity.Deduplication
end
