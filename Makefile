# What people do with the course. `make` alone lists it. Each target first sets up what it needs, in .venv.

PYTHON := .venv/bin/python
# A stamp holds for this folder alone, because the environment knows its path: a folder that was moved is set up anew.
HERE := $(shell pwd | cksum | cut -d ' ' -f 1)
LEARNER := .venv/.learner-$(HERE)
TESTS := .venv/.tests-$(HERE)
GRADING := .venv/.grading-$(HERE)
comma := ,

.PHONY: help lab refresh reset hand-in grading test claims bench run format

help:
	@echo "make lab                            open the course in JupyterLab (PORT=8890: listen there)"
	@echo "make refresh LESSON=01              take the newest version of a lesson; your answers and your old copy are kept"
	@echo "make reset LESSON=01 EXERCISE=1.2   put an exercise, or a whole lesson, back as handed out; your copy is kept"
	@echo "make hand-in LESSON=01              look your lesson over, pack it for your instructor, and get a receipt"
	@echo "make grading                        for instructors: what the command .venv/bin/grade needs"
	@echo
	@echo "make test                           everything: style, package, lessons as handed out and solved, the browser"
	@echo "make claims LESSON=01 SEEDS=5       measure the lessons' claims over seeds, threads and processors"
	@echo "make bench                          measure speed and memory"
	@echo "make run LESSON=01                  run a lesson in notebooks/ from top to bottom and save its outputs"
	@echo "make format                         put the code in the house style"

lab: $(LEARNER)
	@$(PYTHON) -m course_utils.lab $(if $(PORT),--port $(PORT))

refresh reset: $(LEARNER)
	@$(if $(LESSON),,echo "Say which lesson: make $@ LESSON=01"; exit 1;) \
	$(PYTHON) -m course_utils.workbook $@ $(LESSON) $(EXERCISE)

hand-in: $(LEARNER)
	@$(if $(LESSON),,echo "Say which lesson: make $@ LESSON=01"; exit 1;) \
	$(PYTHON) -m course_utils.hand_in $(LESSON) $(if $(ANYWAY),--anyway)

grading: $(GRADING)
	@echo "Ready: .venv/bin/grade --help, and docs/instructors.md"

test: $(TESTS)
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m pytest tests notebooks -n 2 --dist loadscope \
		--nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg --nbval-cell-timeout 300

claims: $(TESTS)
	@$(PYTHON) tools/claims.py --seeds $(or $(SEEDS),5) $(LESSON)

bench: $(TESTS)
	@$(PYTHON) tools/bench.py

run: $(TESTS)
	@$(PYTHON) tools/run_lessons.py $(LESSON)

format: $(TESTS)
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format

# The environment. What was interrupted leaves .venv/.installing behind, and is made anew the next time.

define install
@set -e; \
for python in python3.11 python3.12 python3 python; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2> /dev/null && break || python=; \
done; \
if [ -e .venv/.installing ] || ! $(PYTHON) -m pip --version > /dev/null 2>&1; then \
	if [ -z "$$python" ]; then echo "The course needs Python 3.11 or 3.12: install one of them, then try again."; exit 1; fi; \
	echo "Making the environment .venv with $$($$python --version)."; \
	$$python -m venv --clear .venv; \
fi; \
echo "Installing $(1) into .venv, once: some hundred MB, or a few GB where torch comes with GPU libraries."; \
touch .venv/.installing; \
if $(PYTHON) -m pip install -qq --disable-pip-version-check --editable '$(2)'; then \
	rm .venv/.installing; touch $(3); \
else \
	rm .venv/.installing; echo "The packages could not be installed, for the reason above. The next try begins here."; exit 1; \
fi
endef

$(LEARNER): pyproject.toml
	$(call install,the course's packages,.,$(LEARNER))

$(GRADING): pyproject.toml
	$(call install,the course's packages and those of grading,.[instructor],$(LEARNER) $(GRADING))

$(TESTS): pyproject.toml
	$(call install,the course's packages and those of its tests,.[test$(comma)instructor],$(LEARNER) $(GRADING) $(TESTS))
