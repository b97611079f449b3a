defmodule Singularity.ChangesetsTest do
  use ExUnit.Case, async: true

  alias Singularity.{CodeFile, CodeFingerprint, Embedding, LlmSemanticCache, RagPerformanceStat}

  # As Ecto gives a row that a query has read.
  defp read(row), do: Ecto.put_meta(row, state: :loaded)

  describe "a file" do
    test "needs names that are not blank" do
      changeset = CodeFile.changeset(%CodeFile{}, %{repo_name: "", file_path: " ", content: "x"})
      assert Keyword.keys(changeset.errors) -- [:repo_name, :file_path] == []
      assert length(changeset.errors) == 2
    end

    test "may be empty, and has a hash and a size then" do
      changeset = CodeFile.changeset(%CodeFile{}, %{repo_name: "r", file_path: "p", content: ""})
      assert changeset.valid?
      assert changeset.changes.size_bytes == 0
      assert changeset.changes.content_hash == :crypto.hash(:sha256, "")
    end

    test "has no language rather than a blank one" do
      attrs = %{repo_name: "r", file_path: "p", content: "x", language: ""}
      refute Map.has_key?(CodeFile.changeset(%CodeFile{}, attrs).changes, :language)
    end
  end

  # Vectors are not read unless they are asked for.
  test "what was read without its vector can be changed, and what is new needs one" do
    embedding = %Embedding{repo_name: "r", path: "p", model: "m", content_hash: <<0::256>>}
    assert Embedding.changeset(read(embedding), %{metadata: %{x: 1}}).valid?
    refute Embedding.changeset(embedding, %{metadata: %{x: 1}}).valid?

    answer = %LlmSemanticCache{
      namespace: "n",
      model: "m",
      prompt: "p",
      prompt_hash: <<0::256>>,
      response: "r"
    }

    assert LlmSemanticCache.changeset(read(answer), %{response: "s"}).valid?
    refute LlmSemanticCache.changeset(answer, %{response: "s"}).valid?
  end

  test "what the database would refuse is an error of the changeset" do
    stat = %{query_type: "q", execution_time_ms: -1.0}
    refute RagPerformanceStat.changeset(%RagPerformanceStat{}, stat).valid?
    cost = LlmSemanticCache.changeset(%LlmSemanticCache{}, %{cost_usd: -1})
    assert Keyword.has_key?(cost.errors, :cost_usd)

    for {changeset, constraint} <- [
          {CodeFingerprint.changeset(%CodeFingerprint{}, %{}), "code_fingerprints_content_hash_check"},
          {Embedding.changeset(%Embedding{}, %{}), "embeddings_content_hash_check"},
          {cost, "llm_semantic_cache_prompt_hash_check"}
        ] do
      assert Enum.any?(changeset.constraints, &(&1.constraint == constraint))
    end
  end
end
