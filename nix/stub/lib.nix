# The functions of nixpkgs' `lib` that the flake uses, with the same meaning.
rec {
  inherit (builtins)
    attrNames
    attrValues
    concatMap
    elem
    elemAt
    filter
    head
    isList
    length
    listToAttrs
    replaceStrings
    ;

  systems = [
    "x86_64-linux"
    "aarch64-linux"
    "x86_64-darwin"
    "aarch64-darwin"
  ];

  nameValuePair = name: value: { inherit name value; };
  genAttrs = names: value: listToAttrs (map (name: nameValuePair name (value name)) names);
  filterAttrs =
    wanted: set:
    listToAttrs (
      map (name: nameValuePair name set.${name}) (filter (name: wanted name set.${name}) (attrNames set))
    );
  optional = condition: value: if condition then [ value ] else [ ];
  optionalAttrs = condition: set: if condition then set else { };
  concatStringsSep = builtins.concatStringsSep;
  splitString = separator: text: filter builtins.isString (builtins.split (escape separator) text);
  # Enough for the separators in use.
  escape = replaceStrings [ "." "+" "*" ] [ "\\." "\\+" "\\*" ];
  hasInfix = infix: text: length (builtins.split (escapeAll infix) text) > 1;
  escapeAll = replaceStrings [ "{" ] [ "\\{" ];
  assertMsg = condition: message: if condition then true else throw message;
  importTOML = path: builtins.fromTOML (builtins.readFile path);
  licenses.mit = {
    spdxId = "MIT";
    fullName = "MIT License";
  };

  startsWith = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;

  fileset = {
    unions = paths: paths;
    toSource =
      { root, fileset }:
      builtins.path {
        name = "source";
        path = root;
        filter =
          path: _:
          # Inside one of them, or a folder above one.
          builtins.any (
            wanted:
            path == toString wanted
            || startsWith (toString wanted + "/") path
            || startsWith (path + "/") (toString wanted)
          ) fileset;
      };
  };
}
