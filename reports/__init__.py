"""What is made from the evidence: pages, paper, JUnit, Allure, exports, the history of many runs.

Reads a run's folder and nothing else: no bench, no suite, no metrology. A verdict is printed as it was written, never
decided anew.
"""
