% MATPOWER on the grids of a list, for tests.benchmarks.grids.peers.
% octave-cli peer.m MATPOWER LIST: each line of LIST is a task, a file and where to write, with tabs between them.
given = argv();
root = given{1};
addpath([root '/lib'], [root '/data'], [root '/mips/lib'], [root '/mp-opt-model/lib'], [root '/mptest/lib']);
warning('off', 'all');
list = fopen(given{2});
while ischar(line = fgetl(list))
  part = strsplit(line, "\t");
  [task, file, out] = part{:};
  success = false;
  said = '';
  f = NaN;
  base = NaN;
  bus = branch = [];
  try
    mpc = loadcase(file);
    options = mpoption('verbose', 0, 'out.all', 0);
    switch task
      case 'dc', found = rundcpf(mpc, options);
      case 'ac', found = runpf(mpc, options);
      case 'dcopf', found = rundcopf(mpc, options);
      case 'acopf', found = runopf(mpc, options);
    end
    success = logical(found.success);
    base = found.baseMVA;
    bus = found.bus(:, [1 8 9]);
    branch = found.branch(:, 14:17);
    if isfield(found, 'f'), f = found.f; end
  catch fault
    said = fault.message;
  end
  save('-v6', out, 'success', 'said', 'f', 'base', 'bus', 'branch');
  printf("done\n");
  fflush(stdout);
end
fclose(list);
